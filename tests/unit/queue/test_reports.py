"""What each report makes of a caller and an agent, in every state the two can be in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.common.ids import new_id
from services.queue.agents.domain import Agent, AgentState
from services.queue.queues.domain_queuecalls import (
    NOTHING,
    EndReason,
    Queuecall,
    QueuecallStatus,
    Report,
    ReportKind,
    lapsed,
    reported,
)
from tests.unit.queue.factories import START, make_agent, make_call

LATER = START + timedelta(seconds=10)


def pair(status: QueuecallStatus, state: AgentState) -> tuple[Queuecall, Agent]:
    """A caller and the agent who belongs to it."""
    call = make_call(status)
    agent = make_agent(state, queuecall_id=call.id)
    service = START if status is QueuecallStatus.SERVICE else None
    return (
        make_call(status, id=call.id, service_agent_id=agent.id, tm_service=service),
        agent,
    )


def report(call: Queuecall, kind: ReportKind, agent: Agent | None) -> Report:
    return Report(call.id, kind, agent.id if agent else None, LATER)


CONNECTING = QueuecallStatus.CONNECTING


@pytest.mark.parametrize(
    ("kind", "status", "state"),
    [
        (ReportKind.RINGING, None, AgentState.RINGING),
        (ReportKind.CONNECTED, QueuecallStatus.SERVICE, AgentState.BUSY),
        (ReportKind.NO_ANSWER, QueuecallStatus.WAITING, AgentState.AWAY),
        (ReportKind.UNREACHABLE, QueuecallStatus.WAITING, AgentState.AVAILABLE),
        (ReportKind.ENDED, QueuecallStatus.ABANDONED, AgentState.AVAILABLE),
    ],
)
def test_reports_about_a_reserved_agent(
    kind: ReportKind, status: QueuecallStatus | None, state: AgentState
) -> None:
    call, agent = pair(CONNECTING, AgentState.RESERVED)
    step = reported(report(call, kind, agent), call, agent, agent)
    assert (step.call and step.call.status) == status
    assert step.agent is not None
    assert step.agent.state is state
    assert step.must_rest is (kind is ReportKind.UNREACHABLE)


OF_NO_CONVERSATION = [
    each for each in ReportKind if each not in (ReportKind.CONNECTED, ReportKind.ENDED)
]
OVER = (QueuecallStatus.SERVICE, QueuecallStatus.DONE, QueuecallStatus.ABANDONED)


@pytest.mark.parametrize(
    ("kind", "status"),
    [(kind, status) for kind in OF_NO_CONVERSATION for status in (QueuecallStatus.WAITING, *OVER)]
    + [(ReportKind.CONNECTED, status) for status in OVER],
)
def test_late_reports_change_nothing(kind: ReportKind, status: QueuecallStatus) -> None:
    call, agent = make_call(status, service_agent_id=None), make_agent()
    assert reported(report(call, kind, agent), call, None, agent) is NOTHING


@pytest.mark.parametrize("kind", OF_NO_CONVERSATION)
def test_reports_about_another_agent_change_nothing(kind: ReportKind) -> None:
    call, agent = pair(CONNECTING, AgentState.RESERVED)
    other = make_agent()
    assert reported(report(call, kind, other), call, agent, other) is NOTHING


@pytest.mark.parametrize("reason", [EndReason.WAIT_TIMEOUT, EndReason.DIALER_LOST])
def test_two_who_talk_are_believed_after_the_caller_was_given_up(reason: EndReason) -> None:
    call, agent = make_call(QueuecallStatus.WAITING).ended(reason, START), make_agent()
    step = reported(report(call, ReportKind.CONNECTED, agent), call, None, agent)
    assert step.call is not None
    assert step.agent is not None
    assert (step.call.status, step.call.end_reason) == (QueuecallStatus.SERVICE, "")
    assert step.call.tm_end is None
    assert step.agent.queuecall_id == call.id


def test_who_is_kicked_while_the_agent_answers_was_served_and_is_kicked() -> None:
    call, agent = make_call(QueuecallStatus.WAITING).ended(EndReason.KICKED, START), make_agent()
    step = reported(report(call, ReportKind.CONNECTED, agent), call, None, agent)
    assert step.call is not None
    assert step.agent is not None
    assert step.call.status is QueuecallStatus.SERVICE
    # Over for the sweeper as soon as it looks, should the dialer not say so first.
    assert step.call.service_deadline == step.call.tm_service
    ended = step.call.ended(EndReason.ENDED, LATER + timedelta(seconds=3))
    assert (ended.status, ended.end_reason) == (QueuecallStatus.DONE, EndReason.KICKED)
    assert ended.duration_service == 3_000


def test_who_hung_up_is_not_served_after_all() -> None:
    call, agent = make_call(QueuecallStatus.WAITING).ended(EndReason.ENDED, START), make_agent()
    assert reported(report(call, ReportKind.CONNECTED, agent), call, None, agent) is NOTHING


def test_an_agent_with_another_caller_stays_with_that_one() -> None:
    call, agent = make_call(QueuecallStatus.WAITING), make_agent().talk(new_id(), START)
    step = reported(report(call, ReportKind.CONNECTED, agent), call, None, agent)
    assert step.call is not None
    assert (step.call.status, step.call.service_agent_id) == (QueuecallStatus.SERVICE, None)
    assert step.agent is None


def test_ringing_twice_is_ringing_once() -> None:
    call, agent = pair(CONNECTING, AgentState.RINGING)
    assert reported(report(call, ReportKind.RINGING, agent), call, agent, agent) is NOTHING


def test_the_end_of_an_ended_call_frees_the_agent_it_still_holds() -> None:
    call, agent = pair(QueuecallStatus.SERVICE, AgentState.BUSY)
    kicked = call.ended(EndReason.KICKED, START)
    step = reported(report(kicked, ReportKind.ENDED, agent), kicked, agent, agent)
    assert step.call is None
    assert step.agent is not None
    assert step.agent.state is AgentState.AVAILABLE


def test_time_in_service_counts_from_the_agents_joining() -> None:
    call, agent = pair(CONNECTING, AgentState.RINGING)
    served = call.served(agent.id, START + timedelta(seconds=4))
    done = served.ended(EndReason.ENDED, LATER)
    assert (done.duration_waiting, done.duration_service) == (4_000, 6_000)
    assert (done.status, done.service_agent_id) == (QueuecallStatus.DONE, agent.id)


def test_a_service_limit_begins_with_the_service() -> None:
    call = make_call(CONNECTING, service_timeout=60_000)
    assert call.served(new_id(), LATER).service_deadline == LATER + timedelta(minutes=1)


def test_a_lapsed_reservation_remembers_whose_phone_may_still_ring() -> None:
    call, agent = pair(CONNECTING, AgentState.RINGING)
    step = lapsed(agent, call, LATER)
    assert step.call is not None
    assert step.agent is not None
    assert (step.call.status, step.call.lost_agent_id) == (QueuecallStatus.WAITING, agent.id)
    assert step.agent.state is AgentState.AVAILABLE
    again = step.call.offered(new_id(), LATER)
    assert again.lost_agent_id is None
