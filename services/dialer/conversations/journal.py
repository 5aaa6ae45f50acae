"""Write-behind for calls, activeflows, recordings and facts: gathered, stored in one transaction.

The memory of the dialer is ahead of its tables by some milliseconds. A crash loses those: the next
holder then repeats at most the action that was being begun, under the same play id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import fields, replace
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import AppError
from services.common.log import get_logger
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.delivery import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from services.dialer.domain.calls import Activeflow, ActiveflowFact, Call, CallFact
from services.dialer.domain.recordings import Recording, RecordingFact
from services.dialer.ports import Batch, Fact, Records
from services.dialer.timers import wait_for

GATHER_SECONDS = 0.02
MOST_ROWS = 500
"""Rows of a kind in one transaction: more would hold up the event loop while they are made."""
MOST_FACTS = 1000


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Two batches, neither empty, in the order in which they are to be stored."""
    parts = [list(getattr(batch, each.name)) for each in fields(Batch)]
    filled = [index for index, part in enumerate(parts) if part]
    if len(filled) > 1:
        # Kinds apart first: what cannot be stored is mostly one row.
        first = filled[0]
        ones = [part if index == first else [] for index, part in enumerate(parts)]
        others = [[] if index == first else part for index, part in enumerate(parts)]
        return Batch(*ones), Batch(*others)
    ones = [part[: len(part) // 2] for part in parts]
    others = [part[len(part) // 2 :] for part in parts]
    return Batch(*ones), Batch(*others)


class Journal:
    """What is to be stored. Of a row changed several times in a batch only the last state is."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        on_stored: Callable[[Batch], None] | None = None,
        on_refused: Callable[[UUID], None] | None = None,
    ) -> None:
        """`on_stored` is told of every batch that has been, `on_refused` of an execution that cannot be."""
        self._records = records
        self._clock = clock
        self._on_stored = on_stored
        self._on_refused = on_refused
        self._calls: dict[UUID, Call] = {}
        self._runs: dict[UUID, FlowRun] = {}
        self._recordings: dict[UUID, Recording] = {}
        self._new_runs: set[UUID] = set()
        self._facts: list[Fact] = []
        self._storing: set[UUID] = set()
        self._batch_over = asyncio.Event()
        self._hurried = asyncio.Event()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._log = get_logger()

    @property
    def backlog(self) -> int:
        """Rows and facts not stored yet, without those being stored right now."""
        rows = len(self._calls) + len(self._runs) + len(self._recordings)
        return rows + len(self._facts)

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

    def recording(self, recording: Recording, event: str) -> None:
        """Store the recording and tell `event` (started or ended) of it."""
        self._recordings[recording.id] = recording
        self._facts.append(RecordingFact(event, recording))
        self._touched()

    def fact(self, fact: Fact) -> None:
        """Tell a fact that has no row."""
        self._facts.append(fact)
        self._touched()

    async def flushed(self) -> None:
        """Return when everything noted so far is stored."""
        await self._empty.wait()

    async def stored(self, run_ids: Collection[UUID]) -> None:
        """Return when these executions are stored as they are now, or later than that."""
        while self._storing.intersection(run_ids) or any(each in self._runs for each in run_ids):
            self._hurried.set()
            await self._batch_over.wait()

    async def run(self) -> None:
        """Store until cancelled."""
        while True:
            await self._filled.wait()
            if self.backlog < MOST_ROWS:
                await wait_for(self._hurried, self._clock, real=GATHER_SECONDS)
            self._hurried.clear()
            batch = self._take()
            self._storing = {each.id for each in batch.activeflows}
            for flow, exc in await self._store(batch):
                await self._settle(flow, exc)
            self._storing = set()
            # Those who wait look for themselves whether it was theirs.
            self._batch_over.set()
            self._batch_over.clear()
            if not self.backlog:
                self._filled.clear()
                self._empty.set()

    def _touched(self) -> None:
        self._empty.clear()
        self._filled.set()

    def _take(self) -> Batch:
        facts, self._facts = self._facts[:MOST_FACTS], self._facts[MOST_FACTS:]
        calls = [self._calls.pop(key) for key in list(self._calls)[:MOST_ROWS]]
        recordings = [self._recordings.pop(key) for key in list(self._recordings)[:MOST_ROWS]]
        rows, webhooks = [], []
        for key in self._next_runs():
            run = self._runs.pop(key)
            row = run.stored()
            rows.append(row)
            # With the state that has passed them, or a crash in between would lose them.
            webhooks += run.webhooks
            run.webhooks = []
            facts.extend(self._told_of(row))
            self._new_runs.discard(key)
        return Batch(calls, rows, facts, recordings, webhooks)

    def _next_runs(self) -> list[UUID]:
        keys = list(self._runs)[:MOST_ROWS]
        # With the end that starts it: a crash in between would lose it.
        followers = [self._runs[key].follower for key in keys]
        found = [each.id for each in followers if each is not None and each.id in self._runs]
        return list(dict.fromkeys([*keys, *found]))

    def _told_of(self, row: Activeflow) -> list[Fact]:
        if row.id not in self._new_runs:
            return [ActiveflowFact("updated", row)]
        if not row.is_ended:
            return [ActiveflowFact("created", row)]
        # Began and ended within one batch: both are told, as two revisions.
        begun = replace(row, is_ended=False, tm_end=None, revision=max(1, row.revision - 1))
        return [ActiveflowFact("created", begun), ActiveflowFact("updated", row)]

    async def _store(self, batch: Batch) -> list[tuple[Activeflow, Exception]]:
        """The executions that could not be stored. What else cannot be is left out."""
        try:
            await self._save(batch)
        except Exception as exc:
            # Something in it cannot be stored: it must not keep everything else from being.
            if len(batch) > 1:
                one, other = halves(batch)
                return [*await self._store(one), *await self._store(other)]
            self._log.error("journal_refused", exc_info=exc)
            return [(flow, exc) for flow in batch.activeflows]
        return []

    async def _save(self, batch: Batch) -> None:
        """Try until it is stored; raises what is the batch's own fault."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._records.save(batch)
                break
            except AppError as exc:
                self._log.warning("journal_delayed", error=str(exc))
                await self._clock.sleep_real(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        if self._on_stored is not None:
            self._on_stored(batch)

    async def _settle(self, flow: Activeflow, exc: Exception) -> None:
        """It has failed. Left open, it would be taken over for ever, and each time fail to be stored."""
        if self._on_refused is not None:
            self._on_refused(flow.id)
        failed = flow.unstorable(f"{type(exc).__name__}: {exc}", self._clock.now())
        try:
            await self._save(Batch(activeflows=[failed], facts=[ActiveflowFact("updated", failed)]))
        except Exception as again:
            self._log.error("journal_refused", activeflow=str(flow.id), exc_info=again)
