"""Ask one process whether it serves: `python -m deploy.healthcheck ADDRESS`.

ADDRESS is `host:port` of a gRPC server or a URL that answers 200. Exit code 0 for yes, 1 for no.
"""

from __future__ import annotations

import sys

from cli.stack.processes import grpc_health, http_health


def main() -> None:
    """Probe the address that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deploy.healthcheck HOST:PORT | URL")
    address = sys.argv[1]
    probe = http_health(address) if "://" in address else grpc_health(address)
    sys.exit(0 if probe() else 1)


if __name__ == "__main__":
    main()
