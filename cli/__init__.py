"""The `outbound` command: starts the stack and talks to it."""
