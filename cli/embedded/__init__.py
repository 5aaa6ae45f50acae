"""Real PostgreSQL and NATS servers as child processes, for `outbound up` and for the tests."""
