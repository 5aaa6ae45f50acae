"""Runs the network: feeds it commands and the time, writes the ledger, sends events to dialers.

One task, no task per call. Events are gathered for some milliseconds; then the ledger is written in
one piece, and only after that are the events handed to the streams.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from simnet import clock as clocks
from simnet.calls import NEVER, EndedCall, Event, LiveCall
from simnet.clock import MICROSECONDS, Clock, SteppedClock
from simnet.journal import Journal
from simnet.ledger import Ledger
from simnet.network import Network

# Sleeping longer than this gains nothing, and a date set anew is noticed this soon.
_LONGEST_SLEEP = 1.0


class Found(NamedTuple):
    """The answer to an adoption."""

    call_id: str
    at_us: int
    call: LiveCall | EndedCall | None


class NotStepped(Exception):
    """The clock runs by itself."""


class Session:
    """One attached dialer: what it has not been sent yet."""

    def __init__(self, dialer: str, instance: str) -> None:
        self.dialer = dialer
        self.instance = instance
        self.is_open = True
        self.is_replaced = False
        self._pending: list[Event | Found] = []
        self._changed = asyncio.Event()

    def put(self, items: Iterable[Event | Found]) -> None:
        """Have items sent, after those already waiting."""
        self._pending.extend(items)
        self._changed.set()

    def close(self) -> None:
        """Take no more commands; what waits is still sent."""
        self.is_open = False
        self._changed.set()

    def replace(self) -> None:
        """Another stream has taken this one's place: neither commands nor events from now on."""
        self.is_replaced = True
        self._pending.clear()
        self.close()

    async def take(self) -> list[Event | Found]:
        """All that waits to be sent, as soon as there is something; empty at the end."""
        while not self._pending and self.is_open:
            self._changed.clear()
            await self._changed.wait()
        pending, self._pending = self._pending, []
        return pending


class Engine:
    """The network in motion."""

    def __init__(
        self,
        *,
        network: Network,
        journal: Journal,
        ledger: Ledger,
        clock: Clock,
        gather_seconds: float,
        retention_seconds: int,
    ) -> None:
        self.network = network
        self.clock = clock
        self.sessions: dict[str, Session] = {}
        self._journal = journal
        self._ledger = ledger
        self._gather_seconds = gather_seconds
        self._retention_us = retention_seconds * MICROSECONDS
        self._changed = asyncio.Event()
        self._failure: OSError | None = None

    async def run(self) -> None:
        """Keep time until cancelled; raises OSError when the ledger cannot be written."""
        loop = asyncio.get_running_loop()
        while True:
            delay = self._delay()
            timer = loop.call_later(delay, self._changed.set) if delay is not None else None
            await self._changed.wait()
            if timer is not None:
                timer.cancel()
            if self._gather_seconds:
                await asyncio.sleep(self._gather_seconds)
            self._changed.clear()
            if self._failure is not None:
                raise self._failure
            self.catch_up()
            self.flush()

    def catch_up(self) -> int:
        """Let happen what is due, and return the domain time. Before every command and question, so
        that an answer that came first is first."""
        now_us = self.clock.now_us()
        self._journal.set_real(clocks.real_us())
        self.network.advance(now_us)
        return now_us

    def command(self, session: Session, apply: Callable[[int, int], None]) -> None:
        """Apply commands at the present domain time and CLOCK_BOOTTIME; unless the dialer was
        replaced, whose commands must not be heard any more."""
        if not session.is_open:
            return
        apply(self.catch_up(), clocks.boottime_ns())
        self._changed.set()

    def flush(self) -> None:
        """Write the ledger, then send the events to those who are attached. The others learn from
        the calls themselves, when they adopt them."""
        lines = self._journal.take()
        if lines:
            try:
                self._ledger.write(lines)
            except OSError as error:
                # Nothing may be told that is not written down, so this is the end of the process.
                self._failure = error
                self._changed.set()
                raise
        events, self.network.events = self.network.events, []
        if not events:
            return
        by_dialer: dict[str, list[Event]] = defaultdict(list)
        for event in events:
            by_dialer[event.dialer].append(event)
        for dialer, its_events in by_dialer.items():
            session = self.sessions.get(dialer)
            if session is not None:
                session.put(its_events)

    def attach(self, session: Session) -> None:
        """Make this the stream of its dialer, in place of an earlier one."""
        self.catch_up()
        self.flush()
        earlier = self.sessions.get(session.dialer)
        if earlier is not None:
            earlier.replace()
        self.sessions[session.dialer] = session

    def detach(self, session: Session) -> None:
        """The stream is gone."""
        session.close()
        if self.sessions.get(session.dialer) is session:
            del self.sessions[session.dialer]

    async def adopt(self, session: Session, call_ids: Sequence[str]) -> None:
        """Give calls to a dialer, and tell it where each stands, before anything that follows."""
        if not session.is_open:
            return
        now_us = self.catch_up()
        network = self.network
        for call_id in call_ids:
            network.adopt(session.dialer, call_id, now_us)
        self.flush()
        found = [Found(call_id, now_us, network.find(call_id)) for call_id in call_ids]
        # What is known goes out before anything that happens while the ledger is searched.
        session.put(item for item in found if item.call is not None)
        unknown = [item.call_id for item in found if item.call is None]
        ended = await self._from_ledger(unknown)
        session.put(Found(call_id, now_us, ended.get(call_id)) for call_id in unknown)

    def live_calls(self, call_ids: Sequence[str]) -> list[LiveCall]:
        """The live calls named, or all."""
        self.catch_up()
        self.flush()
        live = self.network.live
        if not call_ids:
            return [call.view() for call in live.values()]
        return [live[call_id].view() for call_id in dict.fromkeys(call_ids) if call_id in live]

    async def calls(self, call_ids: Sequence[str]) -> list[LiveCall | EndedCall]:
        """What is known of the calls named."""
        self.catch_up()
        self.flush()
        found = {call_id: self.network.find(call_id) for call_id in call_ids}
        known = [call for call in found.values() if call is not None]
        ended = await self._from_ledger([call_id for call_id, call in found.items() if not call])
        return known + list(ended.values())

    def step(self, advance_us: int) -> tuple[int, int]:
        """Move a stepped clock; the domain time then, and how many events happened on the way."""
        if not isinstance(self.clock, SteppedClock):
            raise NotStepped
        self.catch_up()
        before = self.network.event_count
        self.clock.step(advance_us)
        now_us = self.catch_up()
        self.flush()
        return now_us, self.network.event_count - before

    def stop(self) -> None:
        """End every call, tell it, and close every stream once it is told."""
        self.network.stop(self.catch_up())
        self.flush()
        for session in self.sessions.values():
            session.close()

    async def _from_ledger(self, call_ids: list[str]) -> dict[str, EndedCall]:
        seen = [call_id for call_id in call_ids if self.network.was_seen(call_id)]
        if not seen:
            return {}
        not_before_us = clocks.real_us() - self._retention_us
        return await asyncio.to_thread(self._ledger.find, seen, not_before_us)

    def _delay(self) -> float | None:
        """Real seconds until something is due; None when only a command can change that."""
        due_us = self.network.next_due()
        if due_us == NEVER:
            return None
        delay = self.clock.real_delay(due_us)
        return None if delay is None else min(delay, _LONGEST_SLEEP)
