"""PBXs, links and dialers that die while people ring and talk."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text as sql

from cli.embedded.asterisk import ARI_USER
from services.common import db
from services.common.clock import SystemClock
from services.dialer.drivers.asterisk.configuration import parse
from services.dialer.storage_slots import PostgresSlots
from services.dialer.telephony import (
    Adopted,
    Answered,
    Bridged,
    CallState,
    Ended,
    HangupReason,
    Leg,
    NotPlaced,
    NotPlacedReason,
    PlayFinished,
    Recorded,
    Replaced,
    Ringing,
    Taken,
    TelephonyUnavailable,
    Unbridged,
)
from tests.fixtures.asterisk import PASSWORD, TIMER_B_MS, Pbx, running_pbx
from tests.fixtures.postgres import DatabaseFactory
from tests.integration.asterisk.stage import Stage
from tests.support.asterisk_carrier import make_driver
from tests.support.servers import end
from tests.support.telephony import Ear, driving
from tests.support.waiting import eventually


@pytest.fixture
def own_pbx() -> Iterator[Pbx]:
    """One to be killed."""
    with running_pbx() as pbx:
        yield pbx


async def test_a_killed_pbx_ends_its_calls_and_takes_new_ones_after_it(
    own_pbx: Pbx, tmp_path: Path
) -> None:
    stage = Stage(own_pbx, tmp_path)
    async with driving(stage) as ear:
        talking = await stage.answered(ear, "203")
        ringing = stage.call("000")
        ear.telephony.place([ringing])
        await ear.hear(Ringing, ringing.call_id)
        await end(own_pbx.server, signal.SIGKILL)
        await ear.link(connected=False)
        refused = stage.call("203")
        ear.telephony.place([refused])
        assert (await ear.hear(NotPlaced, refused.call_id)).reason is NotPlacedReason.DISCONNECTED
        await asyncio.to_thread(own_pbx.server.start)
        over, lost = await ear.hear(Ended, talking), await ear.hear(Ended, ringing.call_id)
        assert (over.reason, over.detail) == (HangupReason.NORMAL, "network_restart")
        assert over.tm_answer is not None
        assert (lost.reason, lost.detail) == (HangupReason.FAILED, "network_restart")
        await ear.link(connected=True)
        await stage.answered(ear, "203")


async def test_while_one_pbx_is_down_calls_go_through_the_other(
    stage: Stage, own_pbx: Pbx, tmp_path: Path
) -> None:
    both = [
        pbx.configuration(stage.application).pbxs[0].model_dump(mode="json") | {"name": name}
        for name, pbx in (("mortal", own_pbx), ("other", stage.pbx))
    ]
    configuration = parse({"application": stage.application, "pbxs": both}, "test")
    driver = make_driver(configuration, tmp_path, dialer="d1", slots=stage.slots, clock=stage.clock)
    stage.telephony = lambda dialer: driver  # type: ignore[method-assign]
    async with driving(stage) as ear:
        await eventually(lambda: driver.network.is_whole, "both links")
        first, second = [await stage.answered(ear, "203") for _ in range(2)]
        live = {each.call_id for each in await driver.live_calls()}
        assert live == {first, second}
        # The least loaded first: one on each.
        assert {driver.held[each].link.pbx.name for each in live} == {"mortal", "other"}
        # An agent's phone is rung where the caller is.
        agent = replace(stage.call("203", leg=Leg.AGENT), beside=first)
        driver.place([agent])
        await ear.hear(Answered, agent.call_id)
        assert driver.held[agent.call_id].link.pbx is driver.held[first].link.pbx
        await end(own_pbx.server, signal.SIGKILL)
        await eventually(lambda: not driver.network.is_whole, "the loss of one")
        assert driver.connected
        with pytest.raises(TelephonyUnavailable):
            await driver.live_calls()
        third = await stage.answered(ear, "203")
        assert driver.held[third].link.pbx.name == "other"
        await asyncio.to_thread(own_pbx.server.start)
        await eventually(lambda: driver.network.is_whole, "its return")
        survivors = {each.call_id for each in await driver.live_calls()}
        assert third in survivors
        assert len(survivors & {first, second}) == 1


async def test_two_living_dialers_move_a_call_without_its_noticing(stage: Stage, ear: Ear) -> None:
    customer = await stage.answered(ear, "212")
    agent = await stage.answered(ear, "213", Leg.AGENT)
    ear.telephony.bridge(customer, agent)
    await ear.hear(Bridged, agent)
    ear.telephony.start_recording(customer, "r1", audio_format="wav")
    ringing = stage.call("200")
    ear.telephony.place([ringing])
    await ear.hear(Ringing, ringing.call_id)
    async with driving(stage, "d2") as other:
        ids = [customer, agent, ringing.call_id]
        other.telephony.adopt(ids)
        for call_id in ids:
            await other.hear(Adopted, call_id)
            assert (await ear.hear(Taken, call_id)).owner == "d2"
        assert (await other.hear(Adopted, customer)).call.bridged_with == agent
        # What is asked of it now is asked by the new holder alone.
        await other.hear(Answered, ringing.call_id)
        other.telephony.say(ringing.call_id, "p1", "Moved.")
        assert (await other.hear(PlayFinished, ringing.call_id)).completed
        live = {each.call_id: each.owner for each in await other.telephony.live_calls()}
        assert live == dict.fromkeys(ids, "d2")
        other.telephony.hangup(ids)
        for call_id in ids:
            await other.hear(Ended, call_id)
        assert (await other.hear(Recorded, customer)).location
    assert ear.kinds(customer)[-1] == "Taken"


async def test_the_end_of_a_partner_that_nobody_holds_is_told(stage: Stage) -> None:
    with stage.pbx.client() as client:
        others = {each["id"] for each in client.get("/bridges").json()}
    async with driving(stage, "d1") as first:
        customer = await stage.answered(first, "212")
        agent = await stage.answered(first, "213", Leg.AGENT)
        first.telephony.bridge(customer, agent)
        await first.hear(Bridged, agent)
    async with driving(stage, "d2") as second:
        # The agent's own adoption is yet to come when its phone is put down.
        second.telephony.adopt([customer])
        assert (await second.hear(Adopted, customer)).call.bridged_with == agent
        second.telephony.hangup([agent])
        await second.hear(Unbridged, customer)
        with stage.pbx.client() as client:

            def is_gone() -> bool:
                return {each["id"] for each in client.get("/bridges").json()} <= others

            await eventually(is_gone, "the end of the bridge")


async def test_a_fenced_dialer_places_nothing(stage: Stage, ear: Ear) -> None:
    async with driving(stage, "d1") as second:
        assert isinstance(await ear.failed(), Replaced)
        call = stage.call("203")
        ear.telephony.place([call])
        assert ear.telephony.connected is False
        assert ear.telephony.room == 0
        await stage.answered(second, "203")
        assert call.destination.target not in await stage.rang()


async def test_a_slot_taken_in_the_table_fences_too(stage: Stage, ear: Ear) -> None:
    # Somebody else has the slot, and has not opened its application yet.
    stage.slots.leases[1].instance = UUID(int=1)
    assert isinstance(await ear.failed(), Replaced)
    assert ear.telephony.connected is False


async def test_without_a_lease_that_lives_nothing_is_placed(stage: Stage, ear: Ear) -> None:
    stage.clock.skipped = 60.0
    call = stage.call("203", within_seconds=100)
    ear.telephony.place([call])
    assert (await ear.hear(NotPlaced, call.call_id)).reason is NotPlacedReason.DISCONNECTED


# -------------------------------------------------------------------------- killed dialer processes


@asynccontextmanager
async def dialer_process(
    stage: Stage, database: str, dialer: str
) -> AsyncIterator[tuple[Process, asyncio.Queue[dict[str, Any]]]]:
    """A driver in its own process, and its events."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.asterisk.dialer_process", stdin=PIPE, stdout=PIPE
    )
    assert process.stdin is not None
    trunk = {"name": "phones", "address_types": ["tel"], "dial": "PJSIP/{target}@trunk"}
    pbx = {
        "name": "test",
        "ari_url": stage.pbx.server.ari_url,
        "user": ARI_USER,
        "password": PASSWORD,
        "timer_b_ms": TIMER_B_MS,
        "trunks": [trunk],
    }
    given = {
        "configuration": {"application": stage.application, "pbxs": [pbx]},
        "folder": str(stage.folder),
        "database": database,
        "dialer": dialer,
    }
    process.stdin.write(json.dumps(given).encode() + b"\n")
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            if line.startswith(b"{"):
                events.put_nowait(json.loads(line))

    reading = asyncio.create_task(read())
    try:
        yield process, events
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def until(events: asyncio.Queue[dict[str, Any]], kind: str) -> str:
    """The call of the next event of a kind."""
    async with asyncio.timeout(30):
        while (event := await events.get())["event"] != kind:
            pass
    return str(event["call"])


async def test_a_killed_dialers_calls_are_gone_on_with_by_another(
    stage: Stage, database: DatabaseFactory
) -> None:
    url = database("dialer")
    engine = db.create_engine(url, "dialer")
    slots = PostgresSlots(engine)
    async with dialer_process(stage, url, "d1") as (process, events):
        await until(events, "LinkChanged")
        assert process.stdin is not None
        calls: list[UUID] = []
        for code, kind in (("203", "Answered"), ("000", "Ringing"), ("200", "Ringing")):
            number = stage.pbx.number(code)
            process.stdin.write(json.dumps({"number": number}).encode() + b"\n")
            calls.append(UUID(await until(events, kind)))
        process.kill()
        await process.wait()
    talking, ringing, answering = calls
    with stage.pbx.client() as client:
        await eventually(
            lambda: client.get(f"/channels/{answering}").json()["state"] == "Up", "an answer"
        )
    driver = make_driver(
        stage.pbx.configuration(stage.application),
        stage.folder,
        dialer="d2",
        slots=slots,
        clock=SystemClock(),
    )
    stage.telephony = lambda dialer: driver  # type: ignore[method-assign]
    async with driving(stage, "d2") as ear:
        async with engine.begin() as conn:
            # The lease runs out.
            await conn.execute(
                sql("UPDATE slots SET leased_until = clock_timestamp() WHERE slot = 1")
            )
        ear.telephony.adopt([talking, ringing, answering])
        adopted = {
            call_id: (await ear.hear(Adopted, call_id)).call
            for call_id in (talking, ringing, answering)
        }
        holders = {holder.slot: holder.dialer_id for holder in await slots.holders()}
        assert holders == {1: "d2", 2: "d2"}
        assert adopted[talking].state is CallState.ANSWERED
        assert adopted[ringing].state is CallState.DIALING
        # It was answered while nobody lived, and waited for somebody to speak.
        assert adopted[answering].state is CallState.ANSWERED
        for call_id in (talking, answering):
            ear.telephony.say(call_id, "p1", "Here I am.")
            assert (await ear.hear(PlayFinished, call_id)).completed
        ear.telephony.cancel([ringing])
        assert (await ear.hear(Ended, ringing)).reason is HangupReason.CANCEL
        ear.telephony.hangup([talking, answering])
        await ear.hear(Ended, talking)
        await ear.hear(Ended, answering)

        async def is_given_back() -> bool:
            return [each.is_living for each in await slots.holders()] == [False, True]

        await eventually(is_given_back, "the dead slot given back")
    await engine.dispose()


async def test_what_a_dead_dialer_recorded_is_fetched_by_the_next(stage: Stage) -> None:
    async with driving(stage, "d1") as first:
        call_id = await stage.answered(first, "212")
        first.telephony.start_recording(call_id, "r1", audio_format="wav")
        with stage.pbx.client() as client:
            name = f"{stage.application}-1.{call_id}.r1"
            await eventually(
                lambda: client.get(f"/recordings/live/{name}").status_code == 200, "the recording"
            )
    with stage.pbx.client() as client:
        client.delete(f"/channels/{call_id}")
    async with driving(stage, "d1") as second:
        found = await second.hear(Recorded, call_id)
        assert stage.heard(found)
