"""Answered people get an agent in time, or are let go and counted: also when their dialer dies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.dialer.domain.campaigns import AttemptReport, ReportKind
from services.dialer.domain.queuecalls import QueueReportKind
from services.dialer.telephony import AnsweredBy, Bridged, CallState, Detected
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import action
from tests.unit.dialer.stage import Stage
from tests.unit.dialer.takeovers import after, leg_of
from tests.unit.dialer.test_queueing import ACTIONS, AGENT, NUMBERS, QUEUE

LIMIT = 2_000
SORRY = (action("talk", text="nobody is there"),)
JOIN = ACTIONS[:1]


def limited(stage: Stages, numbers: int = 1, **options: object):  # type: ignore[no-untyped-def]
    values = {"queue_id": QUEUE, "actions": ACTIONS, "agent_wait_limit_ms": LIMIT, **options}
    return stage(NUMBERS[:numbers], agents=5, **values)


def told(s: Stage, call: UUID, kind: ReportKind) -> list[AttemptReport]:
    return [each for each in s.campaigns.of(call) if each.kind is kind]


def spoken(s: Stage) -> list[str]:
    return [each[-1] for each in s.telephony.commands if each[0] == "say"]


async def passes(s: Stage, seconds: float) -> None:
    """So much domain time."""
    await s.clock.advance(seconds)
    await s.settle()


async def answered(s: Stage) -> UUID:
    (call,) = s.calls
    await s.answer(call)
    return call


async def connected(s: Stage, call: UUID) -> UUID:
    s.offer_agent(AGENT)
    await s.settle()
    leg = s.legs[-1]
    await s.answer(leg)
    await s.bridged(call, leg)
    return leg


async def test_nobody_within_the_limit_is_abandoned_and_hears_the_campaigns_message(
    stage: Stages,
) -> None:
    async with limited(stage, abandonment_actions=SORRY) as s:
        call = await answered(s)
        answer = s.campaigns.of(call)[0].tm
        await passes(s, 1.9)
        assert not told(s, call, ReportKind.ABANDONED)
        await passes(s, 0.1)
        (report,) = told(s, call, ReportKind.ABANDONED)
        assert report.tm == answer + timedelta(milliseconds=LIMIT)
        assert s.telephony.of(call) == ["hold", "stop_play", "say"]
        assert s.queues.kinds() == ["ended"]
        # The rest of the flow is not executed any more.
        await s.played(call, "step-2")
        assert s.telephony.of(call)[-1] == "hangup"
        await s.end(call)
        assert s.endings()[0].is_abandoned


async def test_without_abandonment_actions_the_person_stays_and_counts_all_the_same(
    stage: Stages,
) -> None:
    async with limited(stage) as s:
        call = await answered(s)
        await passes(s, 3.0)
        assert len(told(s, call, ReportKind.ABANDONED)) == 1
        assert s.telephony.of(call) == ["hold"]
        await connected(s, call)
        (report,) = told(s, call, ReportKind.CONNECTED)
        assert report.answer_to_agent_ms is not None
        assert report.answer_to_agent_ms > LIMIT


async def test_an_agent_in_time_is_measured_from_the_answer(stage: Stages) -> None:
    async with limited(stage, abandonment_actions=SORRY) as s:
        call = await answered(s)
        await passes(s, 1.5)
        await connected(s, call)
        (report,) = told(s, call, ReportKind.CONNECTED)
        waited = report.tm - s.campaigns.of(call)[0].tm
        assert report.answer_to_agent_ms == waited.total_seconds() * 1000 == 1_500
        await passes(s, 5.0)
        assert not told(s, call, ReportKind.ABANDONED)
        await s.end(call)
        assert not s.endings()[0].is_abandoned


async def test_when_the_flow_has_talked_it_is_measured_from_the_queue(stage: Stages) -> None:
    async with limited(stage, actions=(action("talk", text="hi"), *JOIN)) as s:
        call = await answered(s)
        await passes(s, 10.0)
        joins = s.clock.now()
        await s.played(call, "step-1")
        await passes(s, 3.0)
        (report,) = told(s, call, ReportKind.ABANDONED)
        assert report.tm == joins + timedelta(milliseconds=LIMIT)


async def test_actions_that_take_no_time_do_not_move_the_beginning(stage: Stages) -> None:
    instant = (action("answer"), action("variable_set", key="a", value="b"))
    async with limited(stage, actions=(*instant, *JOIN)) as s:
        call = await answered(s)
        answer = s.campaigns.of(call)[0].tm
        await passes(s, 3.0)
        (report,) = told(s, call, ReportKind.ABANDONED)
        assert report.tm == answer + timedelta(milliseconds=LIMIT)


async def test_without_a_limit_a_person_waits_as_long_as_it_takes(stage: Stages) -> None:
    async with limited(stage, agent_wait_limit_ms=0, abandonment_actions=SORRY) as s:
        call = await answered(s)
        await passes(s, 60.0)
        assert s.telephony.of(call) == ["hold"]
        await connected(s, call)
        await s.end(call)
        assert not told(s, call, ReportKind.ABANDONED)


async def test_an_agent_who_rings_too_long_is_let_go(stage: Stages) -> None:
    async with limited(stage, abandonment_actions=SORRY) as s:
        call = await answered(s)
        agent_id = s.offer_agent(AGENT)
        await passes(s, 2.5)
        (leg,) = s.legs
        assert s.telephony.of(leg) == ["hangup"]
        assert s.queues.kinds() == ["ringing", "ended"]
        assert s.queues.reports[-1].agent_id == agent_id
        # Who picks up in the same moment finds nobody there.
        await s.answer(leg)
        assert s.telephony.of(call) == ["hold", "stop_play", "say"]


async def test_an_agent_who_has_answered_at_that_moment_is_connected(stage: Stages) -> None:
    async with limited(stage, abandonment_actions=SORRY) as s:
        call = await answered(s)
        s.offer_agent(AGENT)
        await s.settle()
        (leg,) = s.legs
        await s.answer(leg)
        await passes(s, 3.0)
        assert len(told(s, call, ReportKind.ABANDONED)) == 1
        await s.bridged(call, leg)
        assert s.telephony.of(call) == ["hold", "bridge"]
        assert len(told(s, call, ReportKind.CONNECTED)) == 1


async def test_a_machine_is_not_abandoned(stage: Stages) -> None:
    amd = action("amd", machine_handle="continue")
    async with limited(stage, actions=(amd, *JOIN), abandonment_actions=SORRY) as s:
        call = await answered(s)
        s.telephony.tell(Detected(call, s.clock.now(), AnsweredBy.MACHINE))
        await passes(s, 5.0)
        assert s.telephony.of(call) == ["detect", "hold"]
        await s.end(call)
        (ending,) = s.endings()
        assert (ending.is_machine, ending.is_abandoned) == (True, False)
        assert ending.hangup_reason == "normal"


async def test_a_person_let_go_wants_no_agent_any_more(stage: Stages) -> None:
    async with limited(stage, abandonment_actions=SORRY) as s:
        await answered(s)
        counts = s.system.attempts.counts(s.definition.campaign.id)
        assert (counts.waiting, counts.talking) == (1, 0)
        await passes(s, 2.5)
        assert (counts.waiting, counts.talking) == (0, 1)


# ---------------------------------------------------------------------------------------- take-over


def with_the_connection_told(before: Callable[[Stage], None]) -> Callable[[Stage], None]:
    """What the campaign service lists, as it would after an answer and a connection that were told."""

    def prepare(s: Stage) -> None:
        before(s)
        (listed,) = s.campaigns.listed
        s.campaigns.listed = [replace(listed, tm_answer=s.clock.now(), tm_connect=s.clock.now())]

    return prepare


async def test_the_limit_goes_on_at_the_next_dialer(stage: Stages) -> None:
    async with limited(stage, abandonment_actions=SORRY) as first:
        call = await answered(first)
        answer = first.campaigns.of(call)[0].tm
    before = after(first, call)
    async with limited(stage, 0, abandonment_actions=SORRY, prepare=before) as s:
        await passes(s, 3.0)
        (report,) = told(s, call, ReportKind.ABANDONED)
        assert report.tm == answer + timedelta(milliseconds=LIMIT)
        assert s.telephony.of(call)[-2:] == ["stop_play", "say"]


async def test_an_abandonment_that_was_not_told_is_told_by_the_next_dialer(stage: Stages) -> None:
    async with limited(stage, abandonment_actions=SORRY) as first:
        call = await answered(first)
        first.campaigns.faults.down.add("report")
        await passes(first, 3.0)
        assert not told(first, call, ReportKind.ABANDONED)
    async with limited(stage, 0, abandonment_actions=SORRY, prepare=after(first, call)) as s:
        assert len(told(s, call, ReportKind.ABANDONED)) == 1
        # It goes on with the message, and with nothing behind it.
        assert s.telephony.of(call) == ["adopt", "say"]
        await s.played(call, "step-2")
        assert s.telephony.of(call)[-1] == "hangup"


async def test_a_connection_that_was_not_told_is_told_although_the_call_is_over(
    stage: Stages,
) -> None:
    async with limited(stage) as first:
        call = await answered(first)
        first.campaigns.faults.down.add("report")
        first.queues.faults.down.add("report")
        leg = await connected(first, call)
    before = after(first, call)

    def over(s: Stage) -> None:
        before(s)
        del s.telephony.live[call]

    async with limited(stage, 0, prepare=over) as s:
        await s.end(call)
        kinds = [each.kind for each in s.campaigns.of(call)]
        assert kinds[-2:] == [ReportKind.CONNECTED, ReportKind.ENDED]
        assert not s.endings()[0].is_abandoned
        assert [each.kind for each in s.queues.reports] == [
            QueueReportKind.CONNECTED,
            QueueReportKind.ENDED,
        ]
        # The agent's phone, which nobody holds any more, is silenced.
        assert ("hangup", leg) in s.telephony.commands


async def test_a_person_who_left_while_nobody_held_the_call_is_abandoned(stage: Stages) -> None:
    async with limited(stage) as first:
        call = await answered(first)
    before = after(first, call)

    def over(s: Stage) -> None:
        before(s)
        del s.telephony.live[call]

    async with limited(stage, 0, prepare=over) as s:
        await s.end(call)
        assert s.endings()[0].is_abandoned
        assert s.queues.kinds() == ["ended"]


async def test_an_end_that_was_stored_and_not_told_keeps_what_it_came_to(stage: Stages) -> None:
    set_it = action("variable_set", key="a", value="b")
    async with limited(stage, actions=(set_it, *JOIN)) as first:
        call = await answered(first)
        first.campaigns.faults.down.add("report")
        first.queues.faults.down |= {"report", "join"}
        await first.end(call)
        assert first.records.call_rows[call].is_over
    before = after(first, call)

    def over(s: Stage) -> None:
        before(s)
        del s.telephony.live[call]

    async with limited(stage, 0, prepare=over) as s:
        await s.end(call)
        (ending,) = s.endings()
        assert (ending.is_abandoned, ending.variables) == (True, {"a": "b"})
        # The queue hears of the caller although it has left: it counts as well.
        assert [each.call_id for each in s.queues.joined] == [call]
        assert s.queues.kinds() == ["ended"]


async def test_a_caller_whose_attempt_is_done_is_taken_out_of_the_queue(stage: Stages) -> None:
    async with limited(stage) as first:
        call = await answered(first)
        queuecall = first.queues.joined[0].queuecall_id
    before = after(first, call)

    def done(s: Stage) -> None:
        before(s)
        s.campaigns.listed = []
        del s.telephony.live[call]

    async with limited(stage, 0, prepare=done) as s:
        assert [(each.queuecall_id, each.kind.value) for each in s.queues.reports] == [
            (queuecall, "ended")
        ]


async def test_an_end_is_not_told_before_the_queue_knows_of_the_caller(stage: Stages) -> None:
    async with limited(stage) as s:
        gate = s.queues.faults.hold("join")
        call = await answered(s)
        await s.end(call)
        assert not s.endings()
        # Nobody else takes it for open meanwhile.
        assert call in s.system.reports.ending_ids()
        gate.set()
        await s.settle()
        assert s.endings()[0].is_abandoned
        assert s.queues.kinds() == ["ended"]


async def test_what_the_campaign_knows_and_the_dialer_has_not_stored_is_believed(
    stage: Stages,
) -> None:
    async with limited(stage) as first:
        call = await answered(first)
    before = with_the_connection_told(after(first, call))

    def over(s: Stage) -> None:
        before(s)
        del s.telephony.live[call]

    async with limited(stage, 0, prepare=over) as s:
        await s.end(call)
        assert not s.endings()[0].is_abandoned
        assert s.queues.kinds() == ["connected", "ended"]


async def test_the_queue_hears_of_nothing_that_is_not_stored(stage: Stages) -> None:
    async with limited(stage) as s:
        s.records.faults.down.add("save")
        call = await answered(s)
        await s.settle(2.0)
        assert not s.queues.joined
        s.records.faults.down.clear()
        await s.settle(3.0)
        assert len(s.queues.joined) == 1
        s.offer_agent(AGENT)
        await s.settle()
        (leg,) = s.legs
        await s.answer(leg)
        s.records.faults.down.add("save")
        await s.bridged(call, leg)
        await s.settle(1.0)
        assert s.queues.kinds() == ["ringing"]
        s.records.faults.down.clear()
        await s.settle(3.0)
        assert s.queues.kinds() == ["ringing", "connected"]


async def test_a_caller_joins_the_same_queuecall_however_often_the_flow_begins(
    stage: Stages,
) -> None:
    async with limited(stage) as first:
        call = await answered(first)
        activeflow = first.records.flow_rows[next(iter(first.records.flow_rows))].id
    before = after(first, call)

    def nothing_stored(s: Stage) -> None:
        before(s)
        (listed,) = s.campaigns.listed
        s.campaigns.listed = [replace(listed, activeflow_id=activeflow)]
        s.records.call_rows, s.records.flow_rows = {}, {}

    async with limited(stage, 0, prepare=nothing_stored) as s:
        assert [each.queuecall_id for each in s.queues.joined] == [
            each.queuecall_id for each in first.queues.joined
        ]


async def test_a_bridge_at_the_next_dialer_keeps_the_measure(stage: Stages) -> None:
    async with limited(stage) as first:
        call = await answered(first)
        leg = await connected(first, call)
        (before_it,) = told(first, call, ReportKind.CONNECTED)
    live = leg_of(leg, CallState.ANSWERED, bridged_with=call)
    prepare = after(first, call, live, bridged_with=leg)
    async with limited(stage, 0, prepare=prepare) as s:
        await passes(s, 5.0)
        s.telephony.tell(Bridged(call, s.clock.now(), leg))
        await s.settle()
        (again,) = told(s, call, ReportKind.CONNECTED)
        assert (again.tm, again.answer_to_agent_ms) == (
            before_it.tm,
            before_it.answer_to_agent_ms,
        )
