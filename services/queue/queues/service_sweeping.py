"""What happens by itself: wrap-ups, time limits, lapsed reservations, callers nobody holds any more.

Any number of replicas sweep at once; each skips what another one has locked. A sweep is a handful of
index look-ups when nothing is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime

from services.common.clock import Clock
from services.common.metrics import counter
from services.queue.queues.domain_queuecalls import (
    EndReason,
    QueuecallStatus,
    Step,
    freed,
    lapsed,
)
from services.queue.queues.ports import BeginQueues, QueuesTransaction
from services.queue.queues.service_changes import Changes

SWEEP_SECONDS = 1.0
"""REAL seconds between sweeps when nothing is known to be due sooner."""
RARE_SWEEP_SECONDS = 5.0
"""REAL seconds between searches for forgotten callers."""
BUSY_SECONDS = 0.02
"""REAL seconds until looking again at what was due but locked."""
BATCH = 500

_Step = Awaitable[tuple[Changes, int]]

_swept = counter("queue_swept", "What became due and was seen to by a sweep", ("what",))


class Alarm:
    """Remembers the earliest instant at which something is due, and wakes the sweeper.

    Only a hint: what other replicas wrote is found by the regular sweep.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._earliest: datetime | None = None
        self._changed = asyncio.Event()

    def note(self, instants: Iterable[datetime]) -> None:
        """See ports.DueTimes."""
        earliest = min(instants, default=None)
        if earliest is not None and (self._earliest is None or earliest < self._earliest):
            self._earliest = earliest
            self._changed.set()

    async def wait(self, known: datetime | None) -> None:
        """Return at `known`, at the earliest instant noted, or after SWEEP_SECONDS."""
        self.note([known] if known else [])
        try:
            async with asyncio.timeout(SWEEP_SECONDS):
                while (left := self._left()) > 0:
                    self._changed.clear()
                    await self._first_of(self._clock.sleep(left), self._changed.wait())
        except TimeoutError:
            pass
        finally:
            # The sweep that follows finds out anew what is due next.
            self._earliest = None

    def _left(self) -> float:
        """Domain seconds until the earliest instant; an hour when there is none."""
        if self._earliest is None:
            return 3600.0
        return (self._earliest - self._clock.now()).total_seconds()

    async def _first_of(self, *waits: Coroutine[object, object, object]) -> None:
        tasks = [asyncio.ensure_future(each) for each in waits]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in tasks:
                each.cancel()


class Sweeper:
    """Does what is due."""

    def __init__(self, *, begin: BeginQueues, clock: Clock, alarm: Alarm) -> None:
        self._begin = begin
        self._clock = clock
        self._alarm = alarm
        self._rare_at = 0.0

    async def run(self) -> None:
        """Sweep for ever, in time for everything this process knows to be due."""
        while True:
            due = await self.sweep()
            if due is not None and due <= self._clock.now():
                # Somebody else has it in hand: look again, but do not run hot meanwhile.
                await self._clock.sleep_real(BUSY_SECONDS)
            else:
                await self._alarm.wait(due)

    async def sweep(self) -> datetime | None:
        """Do everything that is due now; the next domain instant at which something will be."""
        await self._repeat("wrapup", self._end_wrapups)
        await self._repeat("time_limit", self._end_overdue)
        await self._repeat("reservation", self._return_lapsed)
        if self._clock.boottime() >= self._rare_at:
            await self._repeat("forgotten", self._end_forgotten)
            async with self._begin() as tx:
                await tx.capacities.forget_old_asks()
            self._rare_at = self._clock.boottime() + RARE_SWEEP_SECONDS
        async with self._begin() as tx:
            instants = [await tx.roster.next_wrapup(), await tx.queuecalls.next_deadline()]
        return min((each for each in instants if each is not None), default=None)

    async def _repeat(self, what: str, step: Callable[[QueuesTransaction], _Step]) -> None:
        """Transactions of at most BATCH until nothing is left that nobody else has locked."""
        while True:
            async with self._begin() as tx:
                changes, count = await step(tx)
                await changes.write(tx)
            _swept.labels(what).inc(count)
            self._alarm.note(changes.due())
            if count < BATCH:
                return

    async def _end_wrapups(self, tx: QueuesTransaction) -> tuple[Changes, int]:
        agents = await tx.roster.try_lock_wrapped_up(self._clock.now(), BATCH)
        changes = Changes({}, agents)
        for agent in agents:
            # As of the instant it was over, however late the sweep: the totals stay exact.
            changes.apply(Step(None, agent.end_wrapup(agent.wrapup_until or agent.tm_state)))
        return changes, len(agents)

    async def _end_overdue(self, tx: QueuesTransaction) -> tuple[Changes, int]:
        calls = await tx.queuecalls.try_lock_overdue(self._clock.now(), BATCH)
        changes = Changes(calls, [])
        for call in calls.values():
            if call.status is QueuecallStatus.WAITING:
                reason, at = EndReason.WAIT_TIMEOUT, call.wait_deadline
            else:
                reason, at = EndReason.SERVICE_TIMEOUT, call.service_deadline
            changes.apply(Step(call.ended(reason, at or self._clock.now())))
        # Their phones are still connected; see QueuecallService.kick_queuecall.
        await tx.roster.hold(calls.keys())
        return changes, len(calls)

    async def _return_lapsed(self, tx: QueuesTransaction) -> tuple[Changes, int]:
        found = await tx.roster.lapsed(BATCH)
        calls = await tx.queuecalls.try_lock(set(found.values()))
        mine = [agent_id for agent_id, call_id in found.items() if call_id in calls]
        agents = await tx.roster.try_lock_lapsed(mine)
        changes = Changes(calls, agents)
        now = self._clock.now()
        for agent in agents:
            call = calls.get(agent.queuecall_id) if agent.queuecall_id else None
            if call is not None:
                changes.apply(lapsed(agent, call, now))
        return changes, len(agents)

    async def _end_forgotten(self, tx: QueuesTransaction) -> tuple[Changes, int]:
        """End what no dialer has renewed for long.

        A dialer renews every second, and another one takes over within seconds when it dies. What
        is older belongs to a call that nobody leads any more; its caller would be offered to agents,
        or its agent be busy, for ever.
        """
        calls = await tx.queuecalls.try_lock_forgotten(BATCH)
        agents = await tx.roster.lock_involved([], calls.keys())
        changes = Changes(calls, agents)
        now = self._clock.now()
        for call in calls.values():
            holder = changes.holder(call.id)
            agent = None if holder is None else freed(holder, call, now)
            changes.apply(Step(call.ended(EndReason.DIALER_LOST, now), agent))
        return changes, len(calls)
