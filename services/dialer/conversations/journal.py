"""Write-behind for calls, activeflows and facts: gathered, then stored in one transaction.

The memory of the dialer is ahead of its tables by some milliseconds. A crash loses those: the next
holder then repeats at most the action that was being begun, under the same play id.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import AppError
from services.common.log import get_logger
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.delivery import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from services.dialer.domain.calls import Activeflow, ActiveflowFact, Call, CallFact
from services.dialer.ports import Fact, Records

GATHER_SECONDS = 0.02
MOST_ROWS = 500
"""Rows of a kind in one transaction: more would hold up the event loop while they are made."""
MOST_FACTS = 1000


@dataclass(slots=True)
class _Batch:
    calls: list[Call]
    activeflows: list[Activeflow]
    facts: list[Fact]

    def __len__(self) -> int:
        return len(self.calls) + len(self.activeflows) + len(self.facts)

    def halves(self) -> tuple[_Batch, _Batch]:
        """Two batches, neither empty, in the order in which they are to be stored."""
        if bool(self.calls) + bool(self.activeflows) + bool(self.facts) > 1:
            return _Batch(self.calls, [], []), _Batch([], self.activeflows, self.facts)
        calls, flows, facts = self.calls, self.activeflows, self.facts
        a, b, c = len(calls) // 2, len(flows) // 2, len(facts) // 2
        return _Batch(calls[:a], flows[:b], facts[:c]), _Batch(calls[a:], flows[b:], facts[c:])


class Journal:
    """What is to be stored. Of a row changed several times in a batch only the last state is."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._calls: dict[UUID, Call] = {}
        self._runs: dict[UUID, FlowRun] = {}
        self._new_runs: set[UUID] = set()
        self._facts: list[Fact] = []
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._log = get_logger()

    @property
    def backlog(self) -> int:
        """Rows and facts not stored yet, without those being stored right now."""
        return len(self._calls) + len(self._runs) + len(self._facts)

    def call(self, call: Call, event: str) -> None:
        """Store the call and tell `event` (progressing, updated or hangup) of it."""
        self._calls[call.id] = call
        self._facts.append(CallFact(event, call))
        self._touched()

    def flow(self, run: FlowRun, *, is_new: bool = False) -> None:
        """Store the execution as it is when the batch is written, and tell that it was updated."""
        self._runs[run.id] = run
        if is_new:
            self._new_runs.add(run.id)
        self._touched()

    def fact(self, fact: Fact) -> None:
        """Tell a fact that has no row."""
        self._facts.append(fact)
        self._touched()

    async def flushed(self) -> None:
        """Return when everything noted so far is stored."""
        await self._empty.wait()

    async def run(self) -> None:
        """Store until cancelled."""
        while True:
            await self._filled.wait()
            if self.backlog < MOST_ROWS:
                await self._clock.sleep_real(GATHER_SECONDS)
            await self._store(self._take())
            if not self.backlog:
                self._filled.clear()
                self._empty.set()

    def _touched(self) -> None:
        self._empty.clear()
        self._filled.set()

    def _take(self) -> _Batch:
        facts, self._facts = self._facts[:MOST_FACTS], self._facts[MOST_FACTS:]
        calls = [self._calls.pop(key) for key in list(self._calls)[:MOST_ROWS]]
        rows = []
        for key in list(self._runs)[:MOST_ROWS]:
            row = self._runs.pop(key).stored()
            rows.append(row)
            facts.extend(self._told_of(row))
            self._new_runs.discard(key)
        return _Batch(calls, rows, facts)

    def _told_of(self, row: Activeflow) -> list[Fact]:
        if row.id not in self._new_runs:
            return [ActiveflowFact("updated", row)]
        if not row.is_ended:
            return [ActiveflowFact("created", row)]
        # Began and ended within one batch: both are told, as two revisions.
        begun = replace(row, is_ended=False, tm_end=None, revision=max(1, row.revision - 1))
        return [ActiveflowFact("created", begun), ActiveflowFact("updated", row)]

    async def _store(self, batch: _Batch) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._records.save(batch.calls, batch.activeflows, batch.facts)
                return
            except AppError as exc:
                self._log.warning("journal_delayed", error=str(exc))
                await self._clock.sleep_real(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            except Exception as exc:
                # Something in it cannot be stored: it must not keep everything else from being.
                if len(batch) <= 1:
                    self._log.error("journal_refused", exc_info=exc)
                    return
                for half in batch.halves():
                    await self._store(half)
                return
