"""Tests on real PostgreSQL, NATS and sockets."""
