"""The simulated driver where the contract cannot look: exact times, swallowed bytes, a dead network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.dialer.telephony import (
    Address,
    Answered,
    Bridged,
    DigitPressed,
    Ended,
    HangupReason,
    Leg,
    LinkChanged,
    NotPlaced,
    NotPlacedReason,
    Placement,
    PlayFinished,
    Ringing,
)
from tests.fixtures.simnet import SimnetProcess
from tests.fixtures.tcp_proxy import TcpProxy
from tests.support.simulated_carrier import STEADY, SimulatedCarrier
from tests.support.telephony import Ear, driving, placement

PATTERNS = [
    {"match": "77$", "customer": {"digits": {"19#": 1.0}}},
    {"match": r"^\+19992", "outcomes": ["busy"]},
    {"match": r"^\+19993", "outcomes": ["noanswer"]},
]


@pytest.fixture
async def carrier(simnet: SimnetProcess) -> AsyncIterator[SimulatedCarrier]:
    """A network whose clock stands still."""
    simnet.configure({"customer": STEADY, "agent": STEADY, "patterns": PATTERNS}, STEPPED="true")
    await simnet.start()
    link = TcpProxy(simnet.port)
    await link.start()
    yield SimulatedCarrier(simnet, link)
    await link.cut()


async def answered(
    carrier: SimulatedCarrier, ear: Ear, number: str, leg: Leg = Leg.CUSTOMER
) -> Placement:
    call = placement(carrier, leg=leg, destination=Address("tel", number))
    ear.telephony.place([call])
    await ear.hear(Ringing, call.call_id)
    await carrier.network.step(4_000)
    await ear.hear(Answered, call.call_id)
    return call


async def test_missed_events_are_told_once_and_with_their_own_time(
    carrier: SimulatedCarrier,
) -> None:
    async with driving(carrier) as ear:
        call = await answered(carrier, ear, "+19990000077")
        ringing = placement(carrier)
        rejected = placement(carrier, "busy")
        ear.telephony.place([ringing, rejected])
        ear.telephony.say(call.call_id, "p1", "Press a key.")
        await ear.hear(Ringing, ringing.call_id)
        await carrier.cut()
        await ear.link(connected=False)
        await carrier.network.step(30_000)
        await carrier.restore()
        ended = await ear.hear(Ended, rejected.call_id)
        late = await ear.hear(Answered, ringing.call_id)
        await ear.hear(DigitPressed, call.call_id, 3)
        begin = (await ear.hear(Ringing, ringing.call_id)).tm
        assert (late.tm - begin).total_seconds() == 4.0
        assert 0.2 <= (ended.tm - begin).total_seconds() <= 1.5
        assert ear.kinds(call.call_id)[2:] == ["PlayFinished", *["DigitPressed"] * 3]
        assert ear.kinds(ringing.call_id) == ["Ringing", "Answered"]
        digits = [one.digit for one in ear.of(call.call_id) if isinstance(one, DigitPressed)]
        assert "".join(digits) == "19#"


async def test_what_the_link_swallowed_is_found_out(carrier: SimulatedCarrier) -> None:
    async with driving(carrier) as ear:
        customer = await answered(carrier, ear, "+19990000001")
        agent = await answered(carrier, ear, "+19990000002", Leg.AGENT)
        over = await answered(carrier, ear, "+19990000003")
        lost = placement(carrier)
        carrier.link.swallow()
        ear.telephony.place([lost])
        ear.telephony.say(agent.call_id, "p1", "A call for you.")
        ear.telephony.hangup([over.call_id])
        ear.telephony.bridge(customer.call_id, agent.call_id)
        await carrier.restore()
        assert (await ear.hear(NotPlaced, lost.call_id)).reason is NotPlacedReason.LOST
        await ear.hear(Ended, over.call_id)
        assert not (await ear.hear(PlayFinished, agent.call_id)).completed
        await ear.hear(Bridged, customer.call_id)
        assert lost.destination.target not in await carrier.rang()


async def test_a_hangup_of_anothers_call_survives_a_cut(carrier: SimulatedCarrier) -> None:
    async with driving(carrier, "d1") as owner, driving(carrier, "d2") as finder:
        stray = await answered(carrier, owner, "+19990000001")
        await carrier.cut()
        await finder.link(connected=False)
        finder.telephony.hangup([stray.call_id])
        await carrier.restore()
        ended = await owner.hear(Ended, stray.call_id)
        assert ended.reason is HangupReason.NORMAL


async def test_a_killed_network_ends_its_calls_when_it_is_back(
    carrier: SimulatedCarrier,
) -> None:
    async with driving(carrier) as ear:
        talking = await answered(carrier, ear, "+19990000001")
        ringing = placement(carrier, "noanswer")
        ear.telephony.place([ringing])
        await ear.hear(Ringing, ringing.call_id)
        await carrier.network.kill()
        await ear.link(connected=False)
        await carrier.network.start()
        first = await ear.hear(Ended, talking.call_id)
        second = await ear.hear(Ended, ringing.call_id)
        assert (first.reason, first.detail) == (HangupReason.NORMAL, "network_restart")
        assert (second.reason, second.detail) == (HangupReason.FAILED, "network_restart")
        await ear.link(connected=True)
        call = placement(carrier)
        ear.telephony.place([call])
        await ear.hear(Ringing, call.call_id)


async def test_what_the_network_refuses_is_an_outcome(carrier: SimulatedCarrier) -> None:
    async with driving(carrier) as ear:
        call = placement(carrier, destination=Address("email", "a@example.com"))
        ear.telephony.place([call])
        ended = await ear.hear(Ended, call.call_id)
        assert (ended.reason, ended.detail) == (HangupReason.FAILED, "invalid")


async def test_a_driver_waits_for_a_network_that_is_not_there_yet(
    simnet: SimnetProcess, tmp_path: Path
) -> None:
    await simnet.start()
    await simnet.stop()
    carrier = SimulatedCarrier(simnet, TcpProxy(simnet.port))
    await carrier.link.start()
    async with driving(carrier, wait=False) as ear:
        await simnet.start()
        assert (await ear.hear(LinkChanged)).connected
    await carrier.link.cut()
