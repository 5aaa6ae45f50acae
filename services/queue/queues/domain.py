"""Queues: what they are and which values they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from services.common.errors import invalid
from services.common.limits import QUEUE_LIMIT_MS, RING_MS, WRAPUP_MS, check_range
from services.common.texts import check_texts

QUEUE_NOT_FOUND = "QUEUE_NOT_FOUND"
INVALID_ROUTING_METHOD = "INVALID_ROUTING_METHOD"

DEFAULT_RING_MS = 20_000


class RoutingMethod(StrEnum):
    """How an agent is chosen among those who could take the caller."""

    DEFAULT = ""  # longest_idle
    LONGEST_IDLE = "longest_idle"
    RANDOM = "random"
    ROUND_ROBIN = "round_robin"
    RINGALL = "ringall"  # what an older client sends; longest_idle, because one agent is rung


@dataclass(frozen=True, slots=True)
class Queue:
    """Groups the agents who take answered calls. Durations are milliseconds of domain time."""

    id: UUID
    customer_id: UUID
    name: str
    detail: str
    routing_method: RoutingMethod
    tag_ids: tuple[UUID, ...]  # empty: every agent of the customer
    wait_flow_id: UUID | None
    wait_timeout: int  # 0: none
    service_timeout: int  # 0: none
    wrapup_time: int
    ring_timeout: int
    recording: bool
    revision: int
    tm_create: datetime
    tm_update: datetime | None = None
    tm_delete: datetime | None = None

    def checked(self) -> Queue:
        """The queue, if every value is accepted."""
        check_texts(name=self.name, detail=self.detail)
        check_range("wait_timeout", self.wait_timeout, QUEUE_LIMIT_MS, "milliseconds")
        check_range("service_timeout", self.service_timeout, QUEUE_LIMIT_MS, "milliseconds")
        check_range("wrapup_time", self.wrapup_time, WRAPUP_MS, "milliseconds")
        check_range("ring_timeout", self.ring_timeout, RING_MS, "milliseconds")
        return self


@dataclass(frozen=True, slots=True)
class Members:
    """Who is in a queue now, oldest first, and who has ever been."""

    waiting: tuple[UUID, ...] = ()  # waiting or connecting
    in_service: tuple[UUID, ...] = ()
    incoming_count: int = 0
    serviced_count: int = 0
    abandoned_count: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a queue stands. Milliseconds of domain time; agents by their documented status."""

    waiting_count: int
    service_count: int
    tm_longest: datetime | None  # when the one who has waited longest joined
    waited_ms_total: int
    incoming_count: int
    serviced_count: int
    abandoned_count: int
    agent_counts: Mapping[str, int]

    @property
    def average_waiting_ms(self) -> int:
        """Mean wait of all whose wait is over; 0 before the first."""
        over = self.serviced_count + self.abandoned_count
        return round(self.waited_ms_total / over) if over else 0

    def longest_waiting_ms(self, now: datetime) -> int:
        """How long the one who has waited longest has waited."""
        if self.tm_longest is None:
            return 0
        return max(0, round((now - self.tm_longest).total_seconds() * 1000))


@dataclass(frozen=True, slots=True)
class Tally:
    """What to add to a queue's counters; `last_agent_id` None leaves round robin where it is."""

    incoming: int = 0
    serviced: int = 0
    abandoned: int = 0
    waited_ms: int = 0
    last_agent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewQueue:
    """The body of a create request; None takes the default."""

    id: UUID | None = None
    digest: str = ""
    name: str = ""
    detail: str = ""
    routing_method: RoutingMethod = RoutingMethod.DEFAULT
    tag_ids: tuple[UUID, ...] = ()
    wait_flow_id: UUID | None = None
    wait_timeout: int = 0
    service_timeout: int = 0
    wrapup_time: int | None = None
    ring_timeout: int | None = None
    recording: bool = False


@dataclass(frozen=True, slots=True)
class QueueChange:
    """What an update sets; None leaves a member as it is."""

    name: str | None = None
    detail: str | None = None
    routing_method: RoutingMethod | None = None
    tag_ids: tuple[UUID, ...] | None = None
    wait_timeout: int | None = None
    service_timeout: int | None = None
    wrapup_time: int | None = None
    ring_timeout: int | None = None
    recording: bool | None = None
    wait_flow_id: UUID | None = None
    clears_wait_flow: bool = False

    def applied(self, queue: Queue, at: datetime) -> Queue:
        """The queue with the new values, checked; the same object when nothing differs."""
        given = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "clears_wait_flow" and getattr(self, field.name) is not None
        }
        if self.clears_wait_flow:
            given["wait_flow_id"] = None
        changed = replace(queue, **given).checked()
        if changed == queue:
            return queue
        return replace(changed, revision=queue.revision + 1, tm_update=at)


class Tagged(Protocol):
    """A queue, or agents: whose they are, and by which tags they find each other."""

    @property
    def customer_id(self) -> UUID:
        """The customer."""

    @property
    def tag_ids(self) -> frozenset[UUID]:
        """The tags; a queue without any is served by every agent."""


def is_served_by(queue: Tagged, agents: Tagged) -> bool:
    """Whether agents with these tags take the queue's callers."""
    return agents.customer_id == queue.customer_id and (
        not queue.tag_ids or not queue.tag_ids.isdisjoint(agents.tag_ids)
    )


def check_routing_method(method: str) -> RoutingMethod:
    """The routing method of that name."""
    if method not in set(RoutingMethod):
        raise invalid(
            "routing_method",
            method,
            "random, longest_idle, round_robin, ringall, or nothing for longest_idle",
            reason=INVALID_ROUTING_METHOD,
        )
    return RoutingMethod(method)
