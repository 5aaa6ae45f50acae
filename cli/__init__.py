"""The `outbound` command, and PostgreSQL and NATS as its child processes."""

import os

# gRPC hooks fork() to start its threads again in the child. A server started as another user is forked
# (not vforked), so between fork and exec those threads would work on closed files, write into the
# server's log and may bring it down. Nothing here goes on with gRPC in a child. Read at import of grpc.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
