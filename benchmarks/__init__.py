"""How fast the whole system is on this machine: `python -m benchmarks`.

Everything runs as users run it: `outbound up`, separate processes, every commit flushed to disk.
"""
