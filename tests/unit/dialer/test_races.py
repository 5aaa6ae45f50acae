"""Stops, lost leases and take-overs at the worst moment."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from services.common.ids import new_id
from services.dialer.domain.campaigns import LeaseStatus, OpenAttempt, StopMode
from services.dialer.telephony import (
    AnsweredBy,
    CallState,
    Ended,
    HangupReason,
    Leg,
    LiveCall,
    NotPlaced,
    NotPlacedReason,
    Taken,
)
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import START, address
from tests.unit.dialer.stage import Stage

NUMBERS = [f"+1999000{n:04}" for n in range(20)]


def open_attempt(s: Stage, *, is_answered: bool = False, place_within_ms: int = -1) -> OpenAttempt:
    return OpenAttempt(
        id=new_id(),
        target_id=new_id(),
        outdial_id=s.definition.campaign.outdial_id,
        activeflow_id=new_id(),
        is_answered=is_answered,
        source=None,
        destination=address(NUMBERS[0]),
        destination_index=0,
        try_count=1,
        run_number=1,
        tm_create=START - timedelta(seconds=20),
        tm_answer=START if is_answered else None,
        tm_connect=None,
        tm_deadline=START + timedelta(seconds=30),
        place_within_ms=place_within_ms,
    )


def live(call_id: UUID, state: CallState = CallState.DIALING, **changes: object) -> LiveCall:
    return LiveCall(call_id, Leg.CUSTOMER, state, rang=True, **changes)  # type: ignore[arg-type]


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


async def test_a_taken_call_is_left_alone(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        (call,) = s.calls
        await s.answer(call)
        s.telephony.tell(Taken(call, "dialer-2"))
        await s.settle()
        await s.end(call)
        assert not s.endings()
        assert s.records.told(call) == ["progressing"]


# ------------------------------------------------------------------------------------- take-over


async def test_a_ringing_attempt_is_adopted_and_served(stage: Stages) -> None:
    found: list[OpenAttempt] = []

    def before(s: Stage) -> None:
        found.append(open_attempt(s))
        s.campaigns.listed = found
        s.telephony.live[found[0].id] = live(found[0].id)

    async with stage(prepare=before) as s:
        call = found[0].id
        assert s.telephony.of(call) == ["adopt"]
        await s.answer(call)
        assert s.telephony.of(call) == ["adopt", "say"]
        await s.end(call)
        assert [each.hangup_reason for each in s.endings()] == ["normal"]


async def test_a_conversation_goes_on_where_it_stood(stage: Stages) -> None:
    async with stage(
        NUMBERS[:1],
        actions=(*[_talk("one"), _talk("two"), _talk("three")],),
    ) as first:
        (call,) = first.calls
        await first.answer(call)
        await first.played(call, "step-1")
        rows, flows = first.records.call_rows, first.records.flow_rows

    def before(s: Stage) -> None:
        attempt = open_attempt(s, is_answered=True)
        object.__setattr__(attempt, "id", call)
        s.campaigns.listed = [attempt]
        s.telephony.live[call] = live(
            call, CallState.ANSWERED, answered_by=AnsweredBy.HUMAN, tm_answer=START
        )
        s.records.call_rows = {call: _of_campaign(rows[call], s)}
        s.records.flow_rows = flows

    async with stage(prepare=before) as second:
        said = [each for each in second.telephony.commands if each[0] == "say"]
        assert said == [("say", call, "step-2", "two")]
        await second.played(call, "step-2")
        await second.played(call, "step-3")
        assert second.telephony.of(call) == ["adopt", "say", "say", "hangup"]


async def test_an_answer_nobody_saw_is_served_from_the_start(stage: Stages) -> None:
    found: list[OpenAttempt] = []

    def before(s: Stage) -> None:
        found.append(open_attempt(s))
        s.campaigns.listed = found
        s.telephony.live[found[0].id] = live(
            found[0].id, CallState.ANSWERED, answered_by=AnsweredBy.HUMAN, tm_answer=START
        )

    async with stage(prepare=before) as s:
        assert s.telephony.of(found[0].id) == ["adopt", "say"]
        assert s.campaigns.of(found[0].id)[0].tm == START


async def test_an_end_nobody_saw_is_told_by_the_network(stage: Stages) -> None:
    found: list[OpenAttempt] = []

    def before(s: Stage) -> None:
        found.append(open_attempt(s))
        s.campaigns.listed = found
        s.telephony.over[found[0].id] = Ended(
            found[0].id, START, HangupReason.NORMAL, tm_answer=START, talk_ms=5000
        )

    async with stage(prepare=before) as s:
        (ending,) = s.endings()
        assert (ending.hangup_reason, ending.tm_answer) == ("normal", START)


async def test_a_missing_channel_is_lost_only_at_its_deadline_after_a_second_look(
    stage: Stages,
) -> None:
    found: list[OpenAttempt] = []

    def before(s: Stage) -> None:
        found.append(open_attempt(s))
        s.campaigns.listed = found

    async with stage(prepare=before) as s:
        await s.settle(10.0)
        assert not s.endings()
        assert s.system.attempts.counts(s.definition.campaign.id).dialing == 1
        await s.clock.advance(31)
        await s.settle(3.0)
        assert not s.endings(), "the first look asks once more"
        await s.settle(6.0)
        (ending,) = s.endings()
        assert (ending.hangup_reason, ending.hangup_detail) == ("failed", "lost")
        assert not ending.is_refunded


async def test_an_answered_attempt_that_is_lost_was_a_success(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        await s.answer(s.calls[0])
        await s.clock.advance(3600 + 31)
        await s.settle(8.0)
        (ending,) = s.endings()
        assert (ending.hangup_reason, ending.hangup_detail) == ("normal", "lost_after_answer")


async def test_an_attempt_alive_past_its_deadline_is_not_lost(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        (call,) = s.calls
        s.telephony.live[call] = live(call)
        await s.clock.advance(120)
        await s.settle(10.0)
        assert not s.endings()


async def test_an_attempt_closed_elsewhere_is_hung_up(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        # The service lists none: a sweeper has closed it.
        await s.settle(31.0)
        assert s.telephony.of(s.calls[0]) == ["hangup"]
        assert not s.endings()
        assert len(s.system.attempts) == 0


async def test_an_opened_attempt_known_to_be_unplaced_is_given_back(stage: Stages) -> None:
    async with stage(NUMBERS[:1], max_concurrent=1) as s:
        await s.end(s.calls[0], HangupReason.BUSY)
        s.targets.idle.append(NUMBERS[1])
        s.campaigns.faults.down.add("open")
        s.system.targets_changed({s.definition.campaign.outdial_id})
        await s.settle(62.0)
        (unplaced,) = [
            target
            for claim in s.targets.claims.values()
            for target in claim.targets
            if target.attempt_id not in s.calls
        ]
        attempt = open_attempt(s)
        object.__setattr__(attempt, "id", unplaced.attempt_id)
        s.campaigns.listed = [attempt]
        s.campaigns.faults.down.clear()
        await s.settle(31.0)
        ending = s.endings()[-1]
        assert ending.attempt_id == unplaced.attempt_id
        assert (ending.hangup_detail, ending.is_refunded) == ("not_placed", True)


async def test_a_duplicate_id_is_looked_for_on_the_network(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        (call,) = s.calls
        s.telephony.live[call] = live(call)
        s.telephony.tell(NotPlaced(call, NotPlacedReason.DUPLICATE))
        await s.settle()
        assert s.telephony.of(call) == ["adopt"]
        assert not s.endings()


async def test_an_attempt_that_ends_while_the_list_is_asked_for_is_not_adopted(
    stage: Stages,
) -> None:
    async with stage(NUMBERS[:1]) as s:
        (call,) = s.calls
        attempt = open_attempt(s)
        object.__setattr__(attempt, "id", call)
        s.campaigns.listed = [attempt]
        gate = s.campaigns.faults.hold("list_open")
        s.campaigns.faults.down.add("report")
        s.system.keeper.runners[0].reconcile()
        await s.settle()
        await s.end(call, HangupReason.BUSY)
        gate.set()
        await s.settle()
        assert s.telephony.of(call) == []
        assert len(s.system.attempts) == 0


async def test_calls_of_nobody_are_hung_up_after_a_minute(stage: Stages) -> None:
    async with stage() as s:
        stray = new_id()
        s.telephony.live[stray] = live(stray, owner="dialer-9")
        await s.settle(45.0)
        assert s.telephony.of(stray) == []
        await s.settle(60.0)
        assert "hangup" in s.telephony.of(stray)


async def test_calls_of_a_living_dialer_are_left_alone(stage: Stages) -> None:
    async with stage() as s:
        from services.dialer.domain.calls import DialerEntry

        await s.registry.beat(DialerEntry("dialer-9", "127.0.0.1:1"))
        other = new_id()
        s.telephony.live[other] = live(other, owner="dialer-9")
        await s.settle(120.0)
        assert s.telephony.of(other) == []


def _talk(text: str) -> object:
    from tests.unit.dialer.fakes import action

    return action("talk", text=text)


def _of_campaign(call: object, s: Stage) -> object:
    from dataclasses import replace

    return replace(call, campaign_id=s.definition.campaign.id)  # type: ignore[type-var]
