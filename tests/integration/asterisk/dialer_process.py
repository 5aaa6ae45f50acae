"""A dialer's driver as a process of its own, to be killed: `python -m` this, with JSON on its input.

Input: {"configuration": ..., "folder": ..., "database": ..., "dialer": ...}, then one placement a line as
{"number": ...}. Output: one JSON object for every event.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from services.common import db
from services.common.clock import SystemClock
from services.common.ids import new_id
from services.dialer.drivers.asterisk.configuration import parse
from services.dialer.drivers.asterisk.driver import AsteriskTelephony
from services.dialer.storage_slots import PostgresSlots
from services.dialer.telephony import Address, Leg, Placement
from tests.support.asterisk_carrier import make_driver


async def main() -> None:
    loop = asyncio.get_running_loop()
    given = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    clock = SystemClock()
    driver = make_driver(
        parse(given["configuration"], "given"),
        Path(given["folder"]),
        dialer=given["dialer"],
        slots=PostgresSlots(db.create_engine(given["database"], "dialer")),
        clock=clock,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(driver.run())
        tasks.create_task(tell(driver))
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            placement = Placement(
                call_id=new_id(),
                leg=Leg.CUSTOMER,
                destination=Address("tel", json.loads(line)["number"]),
                source=None,
                ring_timeout_ms=60_000,
                max_duration_ms=600_000,
                place_before=clock.boottime() + 5,
            )
            driver.place([placement])


async def tell(driver: AsteriskTelephony) -> None:
    async for events in driver.events():
        for event in events:
            call_id = getattr(event, "call_id", "")
            print(json.dumps({"event": type(event).__name__, "call": str(call_id)}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
