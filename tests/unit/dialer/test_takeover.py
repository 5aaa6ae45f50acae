"""Attempts that another dialer began, and those that nobody knows any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.common.ids import new_id
from services.dialer.domain.calls import Call, DialerEntry
from services.dialer.domain.campaigns import OpenAttempt
from services.dialer.telephony import (
    AnsweredBy,
    CallState,
    Ended,
    HangupReason,
    Leg,
    LiveCall,
    NotPlaced,
    NotPlacedReason,
)
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import START, action, address
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
        actions=(
            action("talk", text="one"),
            action("talk", text="two"),
            action("talk", text="three"),
        ),
    ) as first:
        (call,) = first.calls
        await first.answer(call)
        await first.played(call, "step-1")
        rows, flows = first.records.call_rows, first.records.flow_rows

    def before(s: Stage) -> None:
        attempt = replace(open_attempt(s, is_answered=True), id=call)
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
        attempt = replace(open_attempt(s), id=unplaced.attempt_id)
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
        attempt = replace(open_attempt(s), id=call)
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


async def test_calls_of_a_campaign_nobody_runs_any_more_are_hung_up(stage: Stages) -> None:
    async with stage(NUMBERS[:1]) as s:
        s.campaigns.is_leasable = False
        await s.settle(30.0)
        assert s.telephony.of(s.calls[0]) == []
        await s.settle(40.0)
        assert "hangup" in s.telephony.of(s.calls[0])


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
        await s.registry.beat(DialerEntry("dialer-9", "127.0.0.1:1"))
        other = new_id()
        s.telephony.live[other] = live(other, owner="dialer-9")
        await s.settle(120.0)
        assert s.telephony.of(other) == []


def _of_campaign(call: Call, s: Stage) -> Call:
    return replace(call, campaign_id=s.definition.campaign.id)
