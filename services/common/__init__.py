"""What every process shares. Knows no domain word and imports no service."""
