"""A network without a process around it, and small makers of what it is given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from simnet import profile
from simnet.calls import Event, Kind, Message, Order, What
from simnet.compact import CallCounts, IdSet
from simnet.journal import Journal
from simnet.network import Network
from simnet.people import Luck
from simnet.profile import DEFAULT_PROFILE, Profile

START_US = 1_800_000_000 * 1_000_000
W = TypeVar("W", bound=What)

# Everything takes a fixed time, so that tests can say when things happen.
STEADY: dict[str, Any] = {
    "outcomes": {"answer": 1},
    "ring_ms": 5_000,
    "machine_ring_ms": 7_000,
    "machine_ms": 30_000,
    "reject_ms": 1_000,
    "silence_ms": 10_000,
    "hold_ms": 60_000,
    "listen_to_end": 1.0,
    "reaction_ms": 500,
    "talk_ms": 120_000,
    "machine_talk_ms": 4_000,
    "hangs_up_first": 1.0,
    "goodbye_ms": 1_000,
}


def steady_profile(
    customer: Mapping[str, Any] | None = None,
    agent: Mapping[str, Any] | None = None,
    **members: Any,
) -> Profile:
    """People of whom nothing is left to chance, with the given differences."""
    document = json.loads(Path(DEFAULT_PROFILE).read_text())
    document["customer"] = {**document["customer"], **STEADY, **(customer or {})}
    document["agent"] = {**document["agent"], **STEADY, **(agent or {})}
    return profile.parse({**document, **members})


def order(
    number: int = 1,
    *,
    to: str = "+15550000001",
    kind: Kind = Kind.CUSTOMER,
    address_type: str = "tel",
    ring_timeout_ms: int = 30_000,
    max_duration_ms: int = 600_000,
    place_before_ns: int = 0,
) -> Order:
    """A wish to call; the number makes the id."""
    return Order(
        call_id(number),
        kind,
        address_type,
        to,
        ring_timeout_ms,
        max_duration_ms,
        place_before_ns,
        {},
    )


def call_id(number: int) -> str:
    """A UUIDv7-shaped id."""
    return str(UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0000 + number))


class World:
    """A network and a hand on its clock."""

    def __init__(self, people: Profile | None = None, seed: str = "1") -> None:
        self.journal = Journal()
        self.network = Network(
            profile=people or steady_profile(),
            luck=Luck(seed),
            seen=IdSet(),
            counts=CallCounts(),
            journal=self.journal,
        )
        self.now_us = START_US

    def place(self, *orders: Order, dialer: str = "d1", boottime_ns: int = 1) -> None:
        for each in orders:
            self.network.place(dialer, each, self.now_us, boottime_ns)

    def answered(self, number: int = 1, **order_fields: Any) -> str:
        """Place a call and let it be answered."""
        self.place(order(number, **order_fields))
        self.pass_ms(5_000)
        return call_id(number)

    def play(self, call: str, play_id: str, length_ms: int, *, hold: bool = False) -> None:
        message = Message(call, play_id, length_ms, hold)
        self.network.play("d1", message, self.now_us)

    def pass_ms(self, milliseconds: int) -> list[Event]:
        """Let time pass; what happened since the last look."""
        self.now_us += milliseconds * 1000
        self.network.advance(self.now_us)
        return self.look()

    def look(self) -> list[Event]:
        """What happened since the last look."""
        events, self.network.events = self.network.events, []
        return events


def seen(events: list[Event], kind: type[W]) -> list[W]:
    """The events of one kind, without their frame."""
    return [event.what for event in events if isinstance(event.what, kind)]


def at_ms(events: list[Event], kind: type[W]) -> list[int]:
    """When the events of one kind happened, since the start."""
    return [(event.at_us - START_US) // 1000 for event in events if isinstance(event.what, kind)]
