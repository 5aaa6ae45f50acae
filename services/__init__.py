"""The gRPC services and what they share. Run one with `python -m services.<name>` from the root."""
