"""Queuecalls: one caller's stay in a queue, and what each report makes of it and of the agent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.common.address import Address
from services.queue.agents.domain import Agent, AgentState

QUEUECALL_NOT_FOUND = "QUEUECALL_NOT_FOUND"

_MILLISECOND = timedelta(milliseconds=1)


class QueuecallStatus(StrEnum):
    """Where a caller stands, in the documented words."""

    INITIATING = "initiating"
    WAITING = "waiting"
    CONNECTING = "connecting"  # an agent is reserved or being rung
    SERVICE = "service"
    DONE = "done"
    ABANDONED = "abandoned"


LIVE = (QueuecallStatus.WAITING, QueuecallStatus.CONNECTING, QueuecallStatus.SERVICE)


class EndReason(StrEnum):
    """Why a queuecall is over."""

    ENDED = "ended"  # caller or agent left
    KICKED = "kicked"
    WAIT_TIMEOUT = "wait_timeout"
    SERVICE_TIMEOUT = "service_timeout"
    DIALER_LOST = "dialer_lost"


EVENT_OF = {
    QueuecallStatus.WAITING: "waiting",
    QueuecallStatus.CONNECTING: "connecting",
    QueuecallStatus.SERVICE: "serviced",
    QueuecallStatus.DONE: "done",
    QueuecallStatus.ABANDONED: "abandoned",
}
"""The event of reaching a status."""


@dataclass(frozen=True, slots=True)
class Queuecall:
    """One caller's stay in a queue. Durations are milliseconds of domain time.

    The queue's durations are those of the moment of joining. `lost_agent_id` is the agent whose
    reservation lapsed without the dialer knowing yet: until it asks for another one the caller gets
    none, because the first agent's phone may still be ringing for it.
    """

    id: UUID
    customer_id: UUID
    queue_id: UUID
    reference_id: UUID
    campaign_id: UUID | None
    dialer_id: str
    status: QueuecallStatus
    end_reason: str
    service_agent_id: UUID | None
    lost_agent_id: UUID | None
    service_timeout: int
    wrapup_time: int
    ring_timeout: int
    wait_deadline: datetime | None
    service_deadline: datetime | None
    duration_waiting: int
    duration_service: int
    revision: int
    tm_create: datetime
    tm_service: datetime | None = None
    tm_update: datetime | None = None
    tm_end: datetime | None = None
    tm_delete: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Whether the caller still waits or talks."""
        return self.status in LIVE

    def offered(self, agent_id: UUID, at: datetime) -> Queuecall:
        """The waiting caller, for whom an agent is reserved."""
        return self._moved(
            QueuecallStatus.CONNECTING, at, service_agent_id=agent_id, lost_agent_id=None
        )

    def wait_again(self, at: datetime, lost_agent_id: UUID | None = None) -> Queuecall:
        """The caller, without its agent, at its old place in the queue."""
        return self._moved(
            QueuecallStatus.WAITING, at, service_agent_id=None, lost_agent_id=lost_agent_id
        )

    def served(self, agent_id: UUID | None, at: datetime) -> Queuecall:
        """The caller, joined by the agent; also one who was believed to be gone. None: by one who
        belongs to another caller by now.

        One kicked while the agent answered is served until its dialer has heard of that: at once.
        """
        limit, is_kicked = self.service_timeout, self.end_reason == EndReason.KICKED
        return self._moved(
            QueuecallStatus.SERVICE,
            at,
            service_agent_id=agent_id,
            lost_agent_id=None,
            end_reason=self.end_reason if is_kicked else "",
            tm_end=None,
            tm_service=at,
            service_deadline=at + timedelta(milliseconds=0 if is_kicked else limit)
            if limit or is_kicked
            else None,
            duration_waiting=_spent(self.tm_create, at),
        )

    def ended(self, reason: EndReason, at: datetime) -> Queuecall:
        """The caller, gone: done after service, abandoned before it."""
        if self.tm_service is not None and self.status is QueuecallStatus.SERVICE:
            return self._moved(
                QueuecallStatus.DONE,
                at,
                end_reason=self.end_reason or str(reason),
                tm_end=at,
                duration_service=_spent(self.tm_service, at),
            )
        return self._moved(
            QueuecallStatus.ABANDONED,
            at,
            end_reason=str(reason),
            tm_end=at,
            service_agent_id=None,
            lost_agent_id=None,
            duration_waiting=_spent(self.tm_create, at),
        )

    def deleted(self, at: datetime) -> Queuecall:
        """The ended queuecall, taken from the lists."""
        return replace(self, tm_delete=at, tm_update=at, revision=self.revision + 1)

    def _moved(self, status: QueuecallStatus, at: datetime, **values: object) -> Queuecall:
        return replace(
            self,
            status=status,
            tm_update=at,
            revision=self.revision + 1,
            **values,  # type: ignore[arg-type]
        )


@dataclass(frozen=True, slots=True)
class Joining:
    """One call that joins a queue."""

    queuecall_id: UUID
    queue_id: UUID
    customer_id: UUID
    campaign_id: UUID | None
    call_id: UUID
    tm: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """A queuecall as its dialer finds it; `may_assign`: its customer has an available agent."""

    call: Queuecall
    may_assign: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """An agent reserved for a caller, and how to ring it."""

    queuecall_id: UUID
    agent_id: UUID
    addresses: tuple[Address, ...]
    ring_method: str
    ring_timeout_ms: int


class ReportKind(StrEnum):
    """What a dialer reports."""

    RINGING = "ringing"
    CONNECTED = "connected"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Report:
    """One fact about one queuecall; `agent_id` is None when no agent is concerned."""

    queuecall_id: UUID
    kind: ReportKind
    agent_id: UUID | None
    tm: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What a fact leads to. None: that side does not change."""

    call: Queuecall | None = None
    agent: Agent | None = None
    must_rest: bool = False  # the agent's phone could not be reached


NOTHING = Step()


def reported(report: Report, call: Queuecall, holder: Agent | None, named: Agent | None) -> Step:
    """What the report changes; NOTHING when it is late, repeated or about somebody else.

    `holder` is the agent who belongs to the queuecall now, `named` the one the report names.
    """
    if report.kind is ReportKind.ENDED:
        return _ended(report, call, holder)
    if not _is_current(report, call, holder):
        if report.kind is ReportKind.CONNECTED and named is not None and _may_be_served(call):
            # The reservation lapsed while the agent was answering. The two are talking, whatever was
            # believed meanwhile. An agent who has been given another caller stays with that one.
            if named.is_on_call or named.tm_delete is not None:
                return Step(call.served(None, report.tm))
            return Step(call.served(named.id, report.tm), named.talk(call.id, report.tm))
        return NOTHING
    assert holder is not None
    at = report.tm
    if report.kind is ReportKind.RINGING:
        is_new = holder.state is AgentState.RESERVED
        return Step(None, holder.ring(at)) if is_new else NOTHING
    if report.kind is ReportKind.CONNECTED:
        return Step(call.served(holder.id, at), holder.talk(call.id, at))
    if report.kind is ReportKind.NO_ANSWER:
        return Step(call.wait_again(at), holder.miss(at))
    return Step(call.wait_again(at), holder.release(at, keeps_place=False), must_rest=True)


def freed(agent: Agent, call: Queuecall, at: datetime) -> Agent:
    """The agent when the caller has left: in wrap-up only if the two have talked."""
    if agent.state is AgentState.BUSY:
        return agent.hang_up(at, call.wrapup_time)
    return agent.release(at, keeps_place=True)


def lapsed(agent: Agent, call: Queuecall, at: datetime) -> Step:
    """What follows when nobody renewed the agent's reservation, or confirmed the end of its call."""
    if call.status is QueuecallStatus.CONNECTING and call.service_agent_id == agent.id:
        again = call.wait_again(at, lost_agent_id=agent.id)
        return Step(again, agent.release(at, keeps_place=False))
    return Step(None, freed(agent, call, at))


def _ended(report: Report, call: Queuecall, holder: Agent | None) -> Step:
    # A kicked or timed-out queuecall is over already, and its agent waits for exactly this report.
    agent = None if holder is None else freed(holder, call, report.tm)
    return Step(call.ended(EndReason.ENDED, report.tm) if call.is_live else None, agent)


def _is_current(report: Report, call: Queuecall, holder: Agent | None) -> bool:
    return (
        call.status is QueuecallStatus.CONNECTING
        and holder is not None
        and holder.id == call.service_agent_id
        and report.agent_id in (None, holder.id)
    )


def _may_be_served(call: Queuecall) -> bool:
    """Whether the caller waits, or was given up while an agent may have been answering."""
    if call.status is QueuecallStatus.ABANDONED:
        given_up = (EndReason.WAIT_TIMEOUT, EndReason.DIALER_LOST, EndReason.KICKED)
        return call.end_reason in given_up
    return call.status in (QueuecallStatus.WAITING, QueuecallStatus.CONNECTING)


def _spent(since: datetime, until: datetime) -> int:
    return max(0, (until - since) // _MILLISECOND)
