"""Queues as a dialer sees them: capacity, joining, assignments and reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.common.address import Address


@dataclass(frozen=True, slots=True)
class CapacityAsk:
    """One campaign's question for available agents."""

    queue_id: UUID
    campaign_id: UUID


@dataclass(frozen=True, slots=True)
class Capacity:
    """Agents granted to one campaign for 2 real seconds."""

    queue_id: UUID
    campaign_id: UUID
    available: int


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
class QueueFacts:
    """What flow variables tell of a queue that was joined. Milliseconds of domain time, 0 for none."""

    queue_id: UUID
    name: str
    detail: str
    wait_timeout_ms: int
    service_timeout_ms: int
    wait_flow_id: UUID | None = None
    is_recorded: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """The answer to joining: the queuecalls refused, and the queues of the others."""

    refused: frozenset[UUID] = frozenset()
    queues: tuple[QueueFacts, ...] = ()


class RingMethod(StrEnum):
    """How an agent's addresses are rung."""

    RINGALL = "ringall"
    LINEAR = "linear"


@dataclass(frozen=True, slots=True)
class Assignment:
    """An agent reserved for a caller."""

    queuecall_id: UUID
    agent_id: UUID
    addresses: tuple[Address, ...]
    ring_method: RingMethod
    ring_timeout_ms: int


class EndReason(StrEnum):
    """Why the queue takes a queuecall out."""

    KICKED = "kicked"
    WAIT_TIMEOUT = "wait_timeout"
    SERVICE_TIMEOUT = "service_timeout"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class QueuecallEnd:
    """A queuecall that is over as far as the queue is concerned."""

    queuecall_id: UUID
    reason: EndReason


@dataclass(frozen=True, slots=True)
class QueueNews:
    """The answer to asking for agents."""

    assignments: tuple[Assignment, ...] = ()
    ends: tuple[QueuecallEnd, ...] = ()
    lost: tuple[UUID, ...] = ()


class QueueReportKind(StrEnum):
    """What a report about a queuecall tells."""

    RINGING = "ringing"
    CONNECTED = "connected"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class QueueReport:
    """One fact about one queuecall; `agent_id` is None when ended before any assignment.

    `run_id` names the execution that must be stored before this is told, if any.
    """

    queuecall_id: UUID
    kind: QueueReportKind
    agent_id: UUID | None
    tm: datetime
    run_id: UUID | None = None
