"""The telephone network in memory: notes commands, and tells what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any
from uuid import UUID

from services.common.clock import ManualClock
from services.dialer.telephony import (
    Adopted,
    Capability,
    Ended,
    Event,
    Leg,
    LiveCall,
    Missing,
    NotPlaced,
    NotPlacedReason,
    Placement,
)


class FakeTelephony:
    """ports Telephony: notes commands, and tells what the test says."""

    capabilities: frozenset[Capability] = frozenset(Capability)
    address_types = frozenset({"tel", "sip"})

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._events: asyncio.Queue[Sequence[Event]] = asyncio.Queue()
        self.connected = True
        self.room: int | None = None
        self.placements: list[Placement] = []
        self.commands: list[tuple[Any, ...]] = []
        self.live: dict[UUID, LiveCall] = {}
        self.over: dict[UUID, Ended] = {}
        self.settled_ids: list[UUID] = []

    def place(self, placements: Sequence[Placement]) -> None:
        for each in placements:
            late = each.place_before is not None and self._clock.boottime() > each.place_before
            if not self.connected:
                self.tell(NotPlaced(each.call_id, NotPlacedReason.DISCONNECTED))
            elif late:
                self.tell(NotPlaced(each.call_id, NotPlacedReason.LATE))
            else:
                self.placements.append(each)

    def cancel(self, call_ids: Collection[UUID]) -> None:
        self.commands += [("cancel", each) for each in call_ids]

    def hangup(self, call_ids: Collection[UUID]) -> None:
        self.commands += [("hangup", each) for each in call_ids]

    def say(
        self, call_id: UUID, play_id: str, text: str, *, language: str = "", voice: str = ""
    ) -> None:
        self.commands.append(("say", call_id, play_id, text))

    def play(
        self, call_id: UUID, play_id: str, media: Sequence[str], *, duration_hint_ms: int = 0
    ) -> None:
        self.commands.append(("play", call_id, play_id, tuple(media)))

    def hold(self, call_id: UUID, play_id: str, media: Sequence[str] = ()) -> None:
        self.commands.append(("hold", call_id, play_id))

    def send_digits(
        self, call_id: UUID, play_id: str, digits: str, *, duration_ms: int = 100, gap_ms: int = 100
    ) -> None:
        self.commands.append(("send_digits", call_id, play_id, digits, duration_ms, gap_ms))

    def echo(self, call_id: UUID, play_id: str, duration_ms: int) -> None:
        self.commands.append(("echo", call_id, play_id, duration_ms))

    def mute(self, call_id: UUID, *, is_on: bool) -> None:
        self.commands.append(("mute", call_id, is_on))

    def start_recording(
        self,
        call_id: UUID,
        recording_id: str,
        *,
        audio_format: str,
        max_duration_ms: int = 0,
        silence_ms: int = 0,
        end_keys: str = "",
        has_beep: bool = False,
    ) -> None:
        limits = (audio_format, max_duration_ms, silence_ms, end_keys, has_beep)
        self.commands.append(("start_recording", call_id, recording_id, limits))

    def stop_recording(self, call_id: UUID, recording_id: str) -> None:
        self.commands.append(("stop_recording", call_id, recording_id))

    def detect(self, call_id: UUID) -> None:
        self.commands.append(("detect", call_id))

    def stop_play(self, call_id: UUID) -> None:
        self.commands.append(("stop_play", call_id))

    def bridge(self, call_id: UUID, other_id: UUID) -> None:
        self.commands.append(("bridge", call_id, other_id))

    def adopt(self, call_ids: Collection[UUID]) -> None:
        for each in call_ids:
            self.commands.append(("adopt", each))
            if each in self.live:
                self.tell(Adopted(each, self.live[each]))
            elif each in self.over:
                self.tell(self.over[each])
            else:
                self.tell(Missing(each))

    def settled(self, call_ids: Collection[UUID]) -> None:
        self.settled_ids += call_ids

    async def live_calls(self, call_ids: Collection[UUID] | None = None) -> list[LiveCall]:
        return [call for key, call in self.live.items() if call_ids is None or key in call_ids]

    async def events(self) -> AsyncIterator[Sequence[Event]]:
        while True:
            yield await self._events.get()

    async def run(self) -> None:
        await asyncio.Event().wait()

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the dialer used telephony.{name}, which this fake does not have")

    # ------------------------------------------------------------------------------- the test

    def tell(self, *events: Event) -> None:
        """Events of the network, as one batch."""
        self._events.put_nowait(events)

    def last(self, command: str, call_id: UUID) -> tuple[Any, ...]:
        """What the latest such command about a call carried."""
        found: tuple[Any, ...] = [each for each in self.commands if each[:2] == (command, call_id)][
            -1
        ]
        return found[2:]

    def of(self, call_id: UUID) -> list[str]:
        """Names of the commands about one call."""
        return [each[0] for each in self.commands if each[1] == call_id]

    @property
    def customers(self) -> list[Placement]:
        return [each for each in self.placements if each.leg is Leg.CUSTOMER]

    @property
    def agents(self) -> list[Placement]:
        return [each for each in self.placements if each.leg is Leg.AGENT]
