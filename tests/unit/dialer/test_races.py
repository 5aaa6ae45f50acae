"""Stops and lost leases at the worst moment."""

from __future__ import annotations

import asyncio

from services.dialer.domain.campaigns import LeaseStatus, StopMode
from services.dialer.telephony import (
    HangupReason,
    Taken,
)
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.stage import Stage

NUMBERS = [f"+1999000{n:04}" for n in range(20)]


# ------------------------------------------------------------------------------------------ stop


async def test_stop_while_a_claim_is_unanswered_places_nothing(stage: Stages) -> None:
    gates: list[asyncio.Event] = []

    def slow(s: Stage) -> None:
        gates.append(s.targets.faults.hold("claim"))

    async with stage(NUMBERS[:3], prepare=slow) as s:
        await s.stop_campaign()
        gates[0].set()
        await s.settle()
        assert not s.calls
        assert len(s.targets.released) == 3
        assert not s.campaigns.opened


async def test_stop_between_opening_and_placing_gives_the_tries_back(stage: Stages) -> None:
    gates: list[asyncio.Event] = []

    def slow(s: Stage) -> None:
        gates.append(s.campaigns.faults.hold("open"))

    async with stage(NUMBERS[:3], prepare=slow) as s:
        assert len(s.campaigns.opened) == 3
        await s.stop_campaign()
        gates[0].set()
        await s.settle()
        assert not s.calls
        assert [(each.hangup_reason, each.is_refunded) for each in s.endings()] == [
            ("cancel", True)
        ] * 3


async def test_stop_cancels_ringing_and_hangs_up_answered(stage: Stages) -> None:
    async with stage(NUMBERS[:2]) as s:
        answered, ringing = s.calls
        await s.answer(answered)
        await s.stop_campaign()
        assert s.telephony.of(ringing) == ["cancel"]
        assert s.telephony.of(answered) == ["say", "hangup"]
        cancel = s.telephony.commands.index(("cancel", ringing))
        assert cancel < s.telephony.commands.index(("hangup", answered))

        await s.end(ringing, HangupReason.CANCEL, "canceled")
        await s.end(answered)
        by_call = {each.attempt_id: each for each in s.endings()}
        assert by_call[ringing].is_refunded
        assert by_call[ringing].hangup_detail == "canceled"
        assert by_call[answered].hangup_reason == "normal"
        assert not by_call[answered].is_refunded


async def test_drain_lets_conversations_finish(stage: Stages) -> None:
    async with stage(NUMBERS[:2]) as s:
        answered, ringing = s.calls
        await s.answer(answered)
        s.campaigns.stop_mode = StopMode.DRAIN
        await s.stop_campaign()
        assert s.telephony.of(ringing) == ["cancel"]
        assert s.telephony.of(answered) == ["say"]


async def test_an_answer_before_the_cancel_wins(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        (call,) = s.calls
        await s.stop_campaign()
        await s.answer(call)
        assert s.telephony.of(call) == ["cancel", "hangup"]
        await s.end(call)
        (ending,) = s.endings()
        assert (ending.hangup_reason, ending.is_refunded) == ("normal", False)


async def test_an_answer_before_the_cancel_of_a_drain_is_served(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        s.campaigns.stop_mode = StopMode.DRAIN
        await s.stop_campaign()
        await s.answer(s.calls[0])
        assert s.telephony.of(s.calls[0]) == ["cancel", "say"]


async def test_hangup_after_drain_ends_conversations(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        await s.answer(s.calls[0])
        s.campaigns.stop_mode = StopMode.DRAIN
        await s.stop_campaign()
        s.campaigns.stop_mode = StopMode.HANGUP
        await s.stop_campaign()
        assert s.telephony.of(s.calls[0]) == ["say", "hangup"]


async def test_run_again_while_stopping_goes_on(stage: Stages) -> None:
    async with stage(NUMBERS[:2], max_concurrent=1) as s:
        await s.stop_campaign()
        await s.end(s.calls[0], HangupReason.CANCEL)
        s.campaigns.status = LeaseStatus.RUN
        s.campaigns.run_number = 2
        s.system.campaigns_changed()
        await s.settle()
        assert len(s.calls) == 2
        assert s.campaigns.open_tokens[-1].run_number == 2


async def test_busy_during_a_stop_is_busy_and_counts(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        await s.stop_campaign()
        await s.end(s.calls[0], HangupReason.BUSY)
        (ending,) = s.endings()
        assert (ending.hangup_reason, ending.is_refunded) == ("busy", False)


# ----------------------------------------------------------------------------------------- leases


async def test_a_lease_that_is_not_renewed_in_time_dials_no_more(stage: Stages) -> None:
    async with stage(NUMBERS, max_concurrent=1) as s:
        s.campaigns.faults.down.add("acquire")
        await s.settle(6.0)
        await s.end(s.calls[0], HangupReason.BUSY)
        await s.settle(1.0)
        assert len(s.calls) == 1
        s.campaigns.faults.down.clear()
        await s.settle(1.0)
        assert len(s.calls) == 2


async def test_a_lease_that_ends_during_a_claim_gives_the_claim_back(stage: Stages) -> None:
    gates: list[asyncio.Event] = []

    def slow(s: Stage) -> None:
        gates.append(s.targets.faults.hold("claim"))

    async with stage(NUMBERS[:3], prepare=slow) as s:
        s.campaigns.is_leasable = False
        s.system.campaigns_changed()
        await s.settle()
        gates[0].set()
        await s.settle()
        assert not s.calls
        assert not s.campaigns.opened
        assert len(s.targets.released) == 3


async def test_a_graceful_end_delivers_everything_and_hands_leases_over(stage: Stages) -> None:
    async with stage(NUMBERS[:2]) as s:
        await s.answer(s.calls[0])
        draining = asyncio.create_task(s.system.drain())
        await s.settle(1.0)
        assert draining.done()
        assert [each.campaign_id for each in s.campaigns.released] == [s.definition.campaign.id]
        assert len(s.records.flow_rows) == 1
        # The network is left alone: the next holder goes on with both calls.
        assert s.telephony.of(s.calls[0]) == ["say"]
        assert s.telephony.of(s.calls[1]) == []
        await s.end(s.calls[0])
        assert not s.endings()


async def test_a_hint_that_comes_during_a_graceful_end_does_not_hold_it_up(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        draining = asyncio.create_task(s.system.drain())
        # One of the last finished campaign, for example: the event loop must stay free after it.
        s.system.campaigns_changed()
        await s.settle(1.0)
        s.system.campaigns_changed()
        await s.settle(1.0)
        assert draining.done()


async def test_a_taken_call_is_left_alone(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        (call,) = s.calls
        await s.answer(call)
        s.telephony.tell(Taken(call, "dialer-2"))
        await s.settle()
        await s.end(call)
        assert not s.endings()
        assert s.records.told(call) == ["progressing"]
