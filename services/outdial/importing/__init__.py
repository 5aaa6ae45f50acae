"""Reading lists of targets: bytes to records, records to rows. Pure; no list is ever held whole."""
