"""Values the dialer works with. No I/O, nothing that knows a transport or a database."""
