"""Callers in queues, as the dialer that holds their calls keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.common.address import Address
from services.dialer.attempts import Attempt
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.domain.queuecalls import RingMethod


class StayState(StrEnum):
    """Where a caller stands with the queue."""

    JOINING = "joining"  # the queue service has not confirmed yet
    WAITING = "waiting"  # for an agent
    RINGING = "ringing"  # an agent is reserved and being rung
    BRIDGING = "bridging"  # the agent answered
    SERVICE = "service"  # in conversation
    LEFT = "left"  # gone before the queue service confirmed


@dataclass(slots=True)
class Stay:
    """One caller's stay in one queue."""

    queuecall_id: UUID
    queue_id: UUID
    attempt: Attempt
    run: FlowRun
    state: StayState = StayState.JOINING
    agent_id: UUID | None = None
    ring_method: RingMethod = RingMethod.RINGALL
    ring_timeout_ms: int = 20_000
    addresses_left: list[Address] = field(default_factory=list)
    legs: set[UUID] = field(default_factory=set)  # agent's phones that ring or talk
    bridged_leg: UUID | None = None
    is_carrier_at_fault: bool = False  # no phone of the agent could be rung for a reason of its own
    not_before: float = 0.0  # BOOTTIME before which no agent is asked for again
    tm_left: datetime | None = None  # set in LEFT, which the queue service is to be told of later

    @property
    def call_id(self) -> UUID:
        """The caller's call."""
        return self.attempt.id


class Stays:
    """All stays of this dialer, found by queuecall, by call or by agent's leg."""

    def __init__(self) -> None:
        self._by_id: dict[UUID, Stay] = {}
        self._by_call: dict[UUID, Stay] = {}
        self._by_leg: dict[UUID, Stay] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Stay]:
        return iter(list(self._by_id.values()))

    def add(self, stay: Stay) -> None:
        """Begin to hold it; a call is in one queue at a time."""
        self._by_id[stay.queuecall_id] = stay
        self._by_call[stay.call_id] = stay

    def remove(self, stay: Stay) -> None:
        """Stop holding it and its legs."""
        self._by_id.pop(stay.queuecall_id, None)
        if self._by_call.get(stay.call_id) is stay:
            del self._by_call[stay.call_id]
        for leg in list(stay.legs):
            self.remove_leg(stay, leg)

    def get(self, queuecall_id: UUID) -> Stay | None:
        """By queuecall."""
        return self._by_id.get(queuecall_id)

    def of_call(self, call_id: UUID) -> Stay | None:
        """By the caller's call."""
        return self._by_call.get(call_id)

    def of_leg(self, leg: UUID) -> Stay | None:
        """By an agent's leg."""
        return self._by_leg.get(leg)

    def add_leg(self, stay: Stay, leg: UUID) -> None:
        """A phone of the agent is rung for this stay."""
        stay.legs.add(leg)
        self._by_leg[leg] = stay

    def remove_leg(self, stay: Stay, leg: UUID) -> None:
        """That phone is silent again."""
        stay.legs.discard(leg)
        self._by_leg.pop(leg, None)

    def in_state(self, *states: StayState) -> list[Stay]:
        """Those in one of the states, in the order they joined."""
        return [stay for stay in self._by_id.values() if stay.state in states]
