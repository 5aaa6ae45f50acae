"""One file per sub-command of `outbound`."""
