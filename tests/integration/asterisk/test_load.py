"""Hundreds of calls: the phones' own account and ours agree, call for call, and limits hold."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

from services.dialer.telephony import (
    Answered,
    Ended,
    HangupReason,
    NotPlaced,
    NotPlacedReason,
    Placement,
    Ringing,
)
from tests.fixtures.asterisk import Pbx
from tests.integration.asterisk.stage import Stage
from tests.support.telephony import Ear, driving

CALLS = 200
PER_SECOND = 50
MIX = {"203": "normal", "201": "normal", "486": "busy", "404": "failed", "480": "noanswer"}


async def test_every_sip_call_is_accounted_for_and_none_was_made_twice(
    pbx: Pbx, tmp_path: Path
) -> None:
    stage = Stage(pbx, tmp_path, trunk={"calls_per_second": PER_SECOND, "max_channels": 200})
    codes = [list(MIX)[index % len(MIX)] for index in range(CALLS)]
    calls = [(code, stage.call(code, within_seconds=60)) for code in codes]
    before = len(await stage.rang())
    async with driving(stage) as ear:
        began = stage.clock.boottime()
        hanging_up = asyncio.create_task(hang_up_answered(ear))
        await place_within_room(ear, [call for _, call in calls])
        for _, call in calls:
            await ear.hear(Ended, call.call_id)
        seconds = stage.clock.boottime() - began
        hanging_up.cancel()
    assert not [event for event in ear.events if isinstance(event, NotPlaced)]
    rang = (await stage.rang())[before:]
    assert Counter(rang) == Counter(call.destination.target for _, call in calls)
    assert set(Counter(rang).values()) == {1}
    for code, call in calls:
        ended = await ear.hear(Ended, call.call_id)
        assert ended.reason.value == MIX[code], (code, ended)
        assert ear.kinds(call.call_id).count("Ended") == 1
    assert CALLS / seconds > 20
    assert CALLS / seconds < PER_SECOND * 1.2


async def place_within_room(ear: Ear, calls: list[Placement]) -> None:
    """As the pacer does it: never more than there is room for."""
    left = list(calls)
    while left:
        room = ear.telephony.room
        assert room is not None
        ear.telephony.place(left[:room])
        del left[:room]
        await asyncio.sleep(0.02)  # the rate of the trunk decides, not this pause


async def hang_up_answered(ear: Ear) -> None:
    """End conversations that the phones would keep up."""
    seen = 0
    while True:
        fresh, seen = ear.events[seen:], len(ear.events)
        ear.telephony.hangup([each.call_id for each in fresh if isinstance(each, Answered)])
        await asyncio.sleep(0.05)  # talking takes its time


async def test_a_full_trunk_takes_no_more_until_a_call_ends(pbx: Pbx, tmp_path: Path) -> None:
    stage = Stage(pbx, tmp_path, trunk={"max_channels": 2})
    async with driving(stage) as ear:
        first, second, third = (stage.call("000") for _ in range(3))
        ear.telephony.place([first, second, third])
        assert (await ear.hear(NotPlaced, third.call_id)).reason is NotPlacedReason.NO_ROOM
        await ear.hear(Ringing, second.call_id)
        assert ear.telephony.room == 0
        ear.telephony.cancel([first.call_id])
        await ear.hear(Ended, first.call_id)
        assert ear.telephony.room == 1
        assert third.destination.target not in await stage.rang()


async def test_a_failing_trunk_rests(pbx: Pbx, tmp_path: Path) -> None:
    stage = Stage(pbx, tmp_path, trunk={"rest_after": 3})
    async with driving(stage) as ear:
        failing = [stage.call("503") for _ in range(3)]
        ear.telephony.place(failing)
        for call in failing:
            assert (await ear.hear(Ended, call.call_id)).reason is HangupReason.FAILED
        assert ear.telephony.room == 0
        refused = stage.call("203")
        ear.telephony.place([refused])
        assert (await ear.hear(NotPlaced, refused.call_id)).reason is NotPlacedReason.NO_ROOM
        # After its rest one call finds out that it works again.
        stage.clock.skipped = 5.9
        assert ear.telephony.room == 1
        await stage.answered(ear, "203")
        assert ear.telephony.room is None


async def test_headers_variables_and_caller_id_reach_the_network(pbx: Pbx, tmp_path: Path) -> None:
    trunk = {"headers": {"X-Account": "42"}, "caller_id": {"number": "+15550002222"}}
    stage = Stage(pbx, tmp_path, trunk=trunk)
    async with driving(stage) as ear:
        call = replace(stage.call("203"), headers={"x-account": "13", "X-Case": "7"})
        ear.telephony.place([call])
        await ear.hear(Answered, call.call_id)
        call_id = call.call_id
        with pbx.client() as client:

            def value(name: str) -> str:
                path = f"/channels/{call_id}/variable"
                return str(client.get(path, params={"variable": name}).json()["value"])

            assert value("OUTBOUND_LEG") == "customer"
            channel = client.get(f"/channels/{call_id}").json()
        assert channel["connected"] == {"name": "Acme", "number": "+15550000000"}
    (line,) = [line for line in pbx.phones.invites() if str(call_id) in line]
    assert "X-Case: 7" in line
    # The operator's own header is not a customer's to change.
    assert "X-Account: 42" in line
    assert "x-account: 13" not in line.lower()
    assert "+15550000000" in line
