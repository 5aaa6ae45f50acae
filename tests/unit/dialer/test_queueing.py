"""Callers in queues: agents are rung and connected, and nobody is lost on the way."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from services.common.ids import new_id
from services.dialer.domain.campaigns import ReportKind
from services.dialer.domain.queuecalls import (
    EndReason,
    QueuecallEnd,
    QueueNews,
    RingMethod,
)
from services.dialer.telephony import (
    AnsweredBy,
    CommandFailed,
    Ended,
    HangupReason,
    NotPlaced,
    NotPlacedReason,
)
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import START, action
from tests.unit.dialer.stage import Stage

QUEUE = new_id()
ACTIONS = (action("queue_join", queue_id=str(QUEUE)), action("talk", text="sorry"))
NUMBERS = [f"+1999000{n:04}" for n in range(20)]
AGENT = "+19999000001"
SECOND = "+19999000002"


def queueing(stage: Stages, numbers: int = 1, agents: int = 1, **options: object):  # type: ignore[no-untyped-def]
    return stage(NUMBERS[:numbers], agents=agents, queue_id=QUEUE, actions=ACTIONS, **options)


async def waiting(s: Stage) -> UUID:
    """The first call, answered and in the queue."""
    (call, *_) = s.calls
    await s.answer(call)
    assert len(s.queues.joined) == 1
    return call


async def talking(s: Stage) -> tuple[UUID, UUID]:
    """The first call in conversation with an agent: customer's and agent's leg."""
    call = await waiting(s)
    s.offer_agent(AGENT)
    await s.settle()
    (leg,) = s.legs
    await s.answer(leg)
    await s.bridged(call, leg)
    return call, leg


async def test_an_answered_call_waits_rings_an_agent_and_is_connected(stage: Stages) -> None:
    async with queueing(stage) as s:
        call = await waiting(s)
        assert s.telephony.of(call) == ["hold"]
        agent_id = s.offer_agent(AGENT)
        await s.settle()
        (ring,) = s.telephony.agents
        assert ring.destination.target == AGENT
        assert ring.source is not None
        assert ring.source.target == NUMBERS[0]
        assert ring.ring_timeout_ms == 20_000
        await s.answer(ring.call_id)
        assert s.telephony.of(call) == ["hold", "bridge"]
        await s.bridged(call, ring.call_id)
        assert s.queues.kinds() == ["ringing", "connected"]
        assert {report.agent_id for report in s.queues.reports} == {agent_id}
        assert [each.kind for each in s.campaigns.of(call)] == [
            ReportKind.ANSWERED,
            ReportKind.CONNECTED,
        ]
        assert s.records.call_rows[call].agent_id == agent_id
        assert s.records.call_rows[call].queuecall_id == s.queues.joined[0].queuecall_id


async def test_every_call_is_as_long_as_the_campaign_says_at_most(stage: Stages) -> None:
    async with queueing(stage, max_conversation_ms=90_000) as s:
        call = await waiting(s)
        s.offer_agent(AGENT)
        await s.settle()
        placed = (*s.telephony.customers, *s.telephony.agents)
        assert [each.max_duration_ms for each in placed] == [90_000, 90_000]
        attempt = s.system.attempts.get(call)
        assert attempt is not None
        assert attempt.tm_answer is not None
        assert attempt.deadline == attempt.tm_answer + timedelta(seconds=90 + 30)


async def test_the_caller_hanging_up_ends_the_agents_call(stage: Stages) -> None:
    async with queueing(stage) as s:
        call, leg = await talking(s)
        await s.end(call)
        assert s.telephony.of(leg) == ["hangup"]
        assert s.queues.kinds()[-1] == "ended"
        (ending,) = s.endings()
        assert (ending.hangup_reason, ending.is_abandoned) == ("normal", False)


async def test_the_agent_hanging_up_ends_the_callers_call(stage: Stages) -> None:
    async with queueing(stage) as s:
        call, leg = await talking(s)
        await s.end(leg)
        assert s.telephony.of(call)[-1] == "hangup"
        assert s.queues.kinds()[-1] == "ended"
        await s.end(call)
        assert s.queues.kinds().count("ended") == 1
        assert s.endings()[0].hangup_reason == "normal"


async def test_a_caller_who_leaves_the_queue_is_abandoned(stage: Stages) -> None:
    async with queueing(stage) as s:
        call = await waiting(s)
        await s.end(call)
        assert s.queues.kinds() == ["ended"]
        assert s.endings()[0].is_abandoned


async def test_a_caller_who_leaves_while_the_agent_is_rung_is_abandoned(stage: Stages) -> None:
    async with queueing(stage) as s:
        call = await waiting(s)
        agent_id = s.offer_agent(AGENT)
        await s.settle()
        await s.end(call)
        assert s.telephony.of(s.legs[0]) == ["hangup"]
        assert [(each.kind.value, each.agent_id) for each in s.queues.reports] == [
            ("ringing", agent_id),
            ("ended", agent_id),
        ]
        assert s.endings()[0].is_abandoned
        # The agent picked up in the same moment: there is nobody to talk to.
        await s.answer(s.legs[0])
        assert s.telephony.of(s.legs[0]) == ["hangup", "hangup"]


async def test_a_caller_who_leaves_before_the_queue_knows_is_told_to_it_afterwards(
    stage: Stages,
) -> None:
    async with queueing(stage) as s:
        gate = s.queues.faults.hold("join")
        call = await waiting(s)
        await s.end(call)
        left = s.clock.now()
        await s.settle(5.0)
        assert s.queues.kinds() == []
        gate.set()
        await s.settle(2.0)
        assert [(each.kind.value, each.tm) for each in s.queues.reports] == [("ended", left)]
        assert s.endings()[0].is_abandoned


async def test_an_agent_who_does_not_answer_is_reported_before_the_next_is_asked_for(
    stage: Stages,
) -> None:
    async with queueing(stage) as s:
        call = await waiting(s)
        s.offer_agent(AGENT)
        await s.settle()
        s.queues.faults.down.add("report")
        asked = len(s.queues.waiting)
        await s.end(s.legs[0], HangupReason.NOANSWER)
        await s.settle(2.0)
        # Asking now would only bring the same agent again.
        assert all(not ids for ids in s.queues.waiting[asked:])
        s.queues.faults.down.clear()
        await s.settle(3.0)
        assert s.queues.kinds() == ["ringing", "no_answer"]
        s.offer_agent(SECOND)
        await s.settle()
        assert s.telephony.agents[1].destination.target == SECOND
        assert s.telephony.of(call) == ["hold"]


async def test_all_phones_ring_at_once_and_the_first_wins(stage: Stages) -> None:
    async with queueing(stage) as s:
        call = await waiting(s)
        s.offer_agent(AGENT, SECOND)
        await s.settle()
        first, second = s.legs
        await s.answer(second)
        assert s.telephony.of(first) == ["hangup"]
        assert ("bridge", call, second) in s.telephony.commands
        await s.end(first, HangupReason.CANCEL)
        await s.bridged(call, second)
        assert s.queues.kinds() == ["ringing", "connected"]


async def test_linear_rings_one_phone_after_the_other(stage: Stages) -> None:
    async with queueing(stage) as s:
        await waiting(s)
        s.offer_agent(AGENT, SECOND, method=RingMethod.LINEAR)
        await s.settle()
        assert len(s.legs) == 1
        await s.end(s.legs[0], HangupReason.NOANSWER)
        assert len(s.legs) == 2
        await s.end(s.legs[1], HangupReason.NOANSWER)
        assert s.queues.kinds() == ["ringing", "no_answer"]


async def test_an_agents_mailbox_is_nobody(stage: Stages) -> None:
    async with queueing(stage) as s:
        await waiting(s)
        s.offer_agent(AGENT)
        await s.settle()
        await s.answer(s.legs[0], AnsweredBy.MACHINE)
        assert s.telephony.of(s.legs[0]) == ["hangup"]
        await s.end(s.legs[0])
        assert s.queues.kinds() == ["ringing", "no_answer"]


@pytest.mark.parametrize("trouble", ["not_placed", "congestion"])
async def test_carrier_trouble_is_not_the_agents_fault(stage: Stages, trouble: str) -> None:
    async with queueing(stage) as s:
        await waiting(s)
        s.offer_agent(AGENT)
        await s.settle()
        (leg,) = s.legs
        if trouble == "not_placed":
            s.telephony.tell(NotPlaced(leg, NotPlacedReason.LOST))
        else:
            s.telephony.tell(Ended(leg, START, HangupReason.FAILED, "congestion"))
        await s.settle(2.0)
        assert s.queues.kinds() == ["ringing", "unreachable"]


async def test_an_agent_without_a_phone_is_reported(stage: Stages) -> None:
    async with queueing(stage) as s:
        await waiting(s)
        s.offer_agent()
        await s.settle()
        assert not s.legs
        assert s.queues.kinds() == ["ringing", "no_answer"]


async def test_a_bridge_that_fails_lets_the_caller_wait_again(stage: Stages) -> None:
    async with queueing(stage) as s:
        call = await waiting(s)
        s.offer_agent(AGENT)
        await s.settle()
        (leg,) = s.legs
        await s.answer(leg)
        s.telephony.tell(CommandFailed(call, "bridge", str(leg), "not_live"))
        await s.settle()
        assert s.telephony.of(leg) == ["hangup"]
        assert s.queues.kinds() == ["ringing", "unreachable"]


async def test_a_kicked_caller_is_hung_up(stage: Stages) -> None:
    async with queueing(stage) as s:
        call = await waiting(s)
        _end_next(s, EndReason.KICKED)
        await s.settle(1.5)
        assert s.telephony.of(call) == ["hold", "hangup"]
        await s.end(call)
        assert s.endings()[0].is_abandoned


async def test_a_kick_is_heard_as_soon_as_it_is_told_of(stage: Stages) -> None:
    async with queueing(stage) as s:
        call = await waiting(s)
        s.offer_agent(AGENT)
        await s.settle(1.2)
        (leg,) = s.legs
        _end_next(s, EndReason.KICKED)
        s.system.queuecalls_ended([new_id()])
        await s.settle(0.1)
        assert s.telephony.of(leg) == []
        s.system.queuecalls_ended([s.queues.joined[0].queuecall_id])
        await s.settle(0.1)
        assert s.telephony.of(leg) == ["hangup"]
        assert s.telephony.of(call) == ["hold", "hangup"]


async def test_a_wait_that_is_too_long_goes_on_in_the_flow(stage: Stages) -> None:
    async with queueing(stage) as s:
        call = await waiting(s)
        _end_next(s, EndReason.WAIT_TIMEOUT)
        await s.settle(1.5)
        assert s.telephony.of(call) == ["hold", "stop_play", "say"]
        await s.end(call)
        assert s.endings()[0].is_abandoned


async def test_a_conversation_that_is_too_long_is_ended(stage: Stages) -> None:
    async with queueing(stage) as s:
        call, leg = await talking(s)
        _end_next(s, EndReason.SERVICE_TIMEOUT)
        await s.settle(2.5)
        assert s.telephony.of(leg) == ["hangup"]
        assert s.telephony.of(call)[-1] == "hangup"


@pytest.mark.parametrize("reason", [EndReason.UNKNOWN, EndReason.WAIT_TIMEOUT])
async def test_a_queue_that_has_not_heard_of_a_conversation_does_not_end_it(
    stage: Stages, reason: EndReason
) -> None:
    async with queueing(stage) as s:
        call, leg = await talking(s)
        _end_next(s, reason)
        await s.settle(2.5)
        assert s.telephony.of(leg) == []
        assert s.telephony.of(call)[-1] == "bridge"


async def test_a_lost_reservation_lets_the_caller_wait_again(stage: Stages) -> None:
    async with queueing(stage) as s:
        await waiting(s)
        s.offer_agent(AGENT)
        await s.settle()
        s.queues.news.append(QueueNews(lost=(s.queues.joined[0].queuecall_id,)))
        await s.settle(2.0)
        assert s.telephony.of(s.legs[0]) == ["hangup"]
        s.offer_agent(SECOND)
        await s.settle()
        assert len(s.legs) == 2


async def test_a_queue_that_does_not_exist_is_left_at_once(stage: Stages) -> None:
    async with queueing(stage) as s:
        s.queues.refuse_all = True
        call = await waiting(s)
        assert s.telephony.of(call) == ["hold", "stop_play", "say"]


# ----------------------------------------------------------------------------------------- pacing


@pytest.mark.parametrize(("level", "expected"), [(100, 4), (50, 8), (200, 2)])
async def test_the_service_level_decides_how_many_ring(
    stage: Stages, level: int, expected: int
) -> None:
    async with queueing(stage, numbers=20, agents=4, service_level=level) as s:
        await s.settle(2.0)
        assert len(s.calls) == expected


async def test_waiting_callers_count_until_an_agent_is_reserved(stage: Stages) -> None:
    async with queueing(stage, numbers=20, agents=2) as s:
        assert len(s.calls) == 2
        await s.answer(s.calls[0])
        assert len(s.calls) == 2
        s.offer_agent(AGENT)  # takes one of the two
        await s.settle(2.0)
        # One agent left, one call still ringing.
        assert len(s.calls) == 2
        await s.end(s.calls[1], HangupReason.BUSY)
        await s.settle(1.0)
        assert len(s.calls) == 3


async def test_a_freed_agent_gets_the_next_attempt_at_once(stage: Stages) -> None:
    async with queueing(stage, numbers=5, agents=0) as s:
        await s.settle(1.0)
        assert not s.calls
        s.queues.available = 1
        s.system.agents_changed()
        await s.settle(0.15)
        assert len(s.calls) == 1


async def test_without_an_answer_from_the_queue_service_nobody_is_dialed(stage: Stages) -> None:
    def down(s: Stage) -> None:
        s.queues.faults.down.add("capacity")

    async with queueing(stage, numbers=5, agents=5, prepare=down) as s:
        await s.settle(3.0)
        assert not s.calls
        s.queues.faults.down.clear()
        await s.settle(2.0)
        assert len(s.calls) == 5


async def test_grants_are_not_believed_for_longer_than_they_hold(stage: Stages) -> None:
    async with queueing(stage, numbers=5, agents=1) as s:
        assert len(s.calls) == 1
        s.queues.faults.down.add("capacity")
        await s.settle(3.0)
        await s.end(s.calls[0], HangupReason.BUSY)
        await s.settle(1.0)
        assert len(s.calls) == 1


async def test_a_campaign_with_nothing_due_asks_for_no_agents(stage: Stages) -> None:
    async with queueing(stage, numbers=0, agents=5, continues=True) as s:
        await s.settle(1.0)
        asked = len(s.queues.asked)
        await s.settle(3.0)
        assert len(s.queues.asked) == asked


def _end_next(s: Stage, reason: EndReason) -> None:
    end = QueuecallEnd(s.queues.joined[0].queuecall_id, reason)
    s.queues.news.append(QueueNews(ends=(end,)))
