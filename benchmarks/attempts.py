"""Whole attempts a second: claimed, opened, placed, reported and settled, each made durable."""

from __future__ import annotations

import sys
import time
import uuid

from benchmarks.imports import number
from benchmarks.results import Result
from cli.client import Client
from services.common.clock import boot_seconds

TARGETS = 10_000
FLOOR = 500
_LONGEST_SECONDS = 120.0
_LOOK_SECONDS = 0.1


def measure(client: Client) -> Result:
    """One campaign over that many people, one try each, from its start to its end."""
    campaign = _campaign(client)
    started = boot_seconds()
    client.put(f"/campaigns/{campaign}", {"status": "running"})
    while client.get(f"/campaigns/{campaign}")["status"] != "stop":
        if boot_seconds() - started > _LONGEST_SECONDS:
            sys.exit(f"campaign {campaign} did not end within {_LONGEST_SECONDS:.0f} s")
        time.sleep(_LOOK_SECONDS)
    seconds = boot_seconds() - started
    counts = client.get(f"/campaigns/{campaign}/stats")
    assert counts["state"] == "finished", counts
    assert counts["attempts"]["done_count"] == counts["targets"]["total_count"] == TARGETS, counts
    return Result("attempts", TARGETS / seconds, "attempts/s", FLOOR)


def _campaign(client: Client) -> str:
    """A campaign that nothing but the machine holds back."""
    outdial = client.post("/outdials", {"name": "benchmark"})["id"]
    rows = "".join(f"{number(index)}\n" for index in range(TARGETS))
    client.upload(
        f"/outdials/{outdial}/targets/import",
        [b"phone\n", rows.encode()],
        kind="text/csv",
        key=uuid.uuid4().hex,
    )
    plan = {
        "name": "benchmark",
        "source": "+15550000000",
        "dial_timeout": 10_000,
        "max_try_count_0": 1,
        "calls_per_second": 10_000,
        "max_concurrent": 100_000,
    }
    outplan = client.post("/outplans", plan)["id"]
    body = {
        "name": "benchmark",
        "outdial_id": outdial,
        "outplan_id": outplan,
        "actions": [{"type": "talk", "option": {"text": "Hello.", "language": "en-US"}}],
    }
    return str(client.post("/campaigns", body)["id"])
