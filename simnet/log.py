"""Log lines as JSON on standard error. Never hand a phone number to `write`."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

from simnet.clock import real_us


def write(event: str, *, level: str = "info", **fields: str | int | float | bool) -> None:
    """Write one line: the time (real), the process's name, a short constant, and its fields."""
    instant = datetime.fromtimestamp(real_us() / 1_000_000, UTC)
    line = {
        "process": "simnet",
        "event": event,
        "level": level,
        "timestamp": instant.isoformat(),
        **fields,
    }
    print(json.dumps(line), file=sys.stderr, flush=True)
