"""What a dialer that died has left behind and no lease brings to another.

Rows of calls that are over: a take-over closes those of its campaign at once, the sweep finds those of a
campaign that nobody runs any more, and activeflows left behind by a call that was stored as ended before
them. And activeflows without a call, which the sweep goes on with.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import AppError
from services.common.log import get_logger
from services.dialer.attempts import Attempts
from services.dialer.conversations.flow_run import restore
from services.dialer.conversations.flows import Flows
from services.dialer.conversations.journal import Journal
from services.dialer.domain.calls import Activeflow, Call, CallStatus
from services.dialer.ports import Records, Registry
from services.dialer.telephony import Telephony, TelephonyUnavailable

LOOK_SECONDS = 20.0
LEFTOVER_SECONDS = 60.0
"""Rows that no dialer and no network has known for this long (real) are ended."""


def close_leftovers(
    journal: Journal,
    now: datetime,
    stored: Sequence[tuple[Call, Activeflow | None]],
    attempts: Attempts,
    known: Collection[UUID],
) -> list[Activeflow]:
    """Store the end of those that nobody holds, and give their executions back: the campaign service
    knows them as done.
    """
    closed = []
    for call, activeflow in stored:
        if call.id in known or attempts.get(call.id) is not None:
            continue
        _end_call(journal, now, call)
        if activeflow is not None:
            _end_activeflow(journal, now, activeflow)
            closed.append(activeflow)
    return closed


class LeftoverSweep:
    """Ends rows that are this dialer's, or no living dialer's, and that nobody holds any more."""

    def __init__(
        self,
        *,
        telephony: Telephony,
        records: Records,
        registry: Registry,
        attempts: Attempts,
        journal: Journal,
        flows: Flows,
        clock: Clock,
        dialer_id: str,
    ) -> None:
        self._telephony = telephony
        self._records = records
        self._registry = registry
        self._attempts = attempts
        self._journal = journal
        self._flows = flows
        self._clock = clock
        self._dialer_id = dialer_id
        self._seen: dict[UUID, float] = {}  # BOOTTIME of the first look, by call
        self._log = get_logger()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep_real(LOOK_SECONDS)
            try:
                await self.look()
            except (TelephonyUnavailable, AppError) as exc:
                self._log.warning("leftovers_unknown", error=str(exc))

    async def look(self) -> None:
        """Look once. Raises when the network or the tables cannot be asked; nothing is ended then."""
        living = {entry.dialer_id for entry in await self._registry.living()}
        others = living - {self._dialer_id}
        await self._take_without_call(others)
        found = await self._records.unheld(others)
        boottime = self._clock.boottime()
        self._seen = {
            call_id: self._seen.get(call_id, boottime)
            for call_id in found
            if self._attempts.get(call_id) is None
        }
        old = {key for key, since in self._seen.items() if boottime - since >= LEFTOVER_SECONDS}
        if old:
            # A living call is somebody's: taken over, but not written by its new holder yet.
            old -= {call.call_id for call in await self._telephony.live_calls(list(old))}
        if old:
            await self._close(old)

    async def _take_without_call(self, others: Collection[str]) -> None:
        """Go on with executions without a call: no campaign's lease brings them to anybody."""
        held = self._flows.without_call()
        for row in await self._records.take_without_call(self._dialer_id, others, held):
            self._log.info("activeflow_taken_over", activeflow=str(row.id))
            try:
                self._flows.resume_without_call(row)
            except Exception:
                # A bug met by one ends that one, not the process: the next dialer would meet it, too.
                self._log.exception("activeflow_not_resumed", activeflow=str(row.id))
                self._flows.drop(row.id)
                _end_activeflow(self._journal, self._clock.now(), row)

    async def _close(self, call_ids: Collection[UUID]) -> None:
        calls, activeflows = await self._records.of_calls(call_ids)
        self._log.warning("leftovers_ended", count=len(call_ids))
        now = self._clock.now()
        for call in calls:
            _end_call(self._journal, now, call)
        for activeflow in activeflows:
            _end_activeflow(self._journal, now, activeflow)


def _end_call(journal: Journal, now: datetime, call: Call) -> None:
    if call.is_over:
        return
    closed = replace(
        call,
        status=CallStatus.HANGUP,
        revision=call.revision + 1,
        tm_hangup=now,
        tm_update=now,
    )
    journal.call(closed, "hangup")


def _end_activeflow(journal: Journal, now: datetime, activeflow: Activeflow) -> None:
    if activeflow.is_ended:
        return
    run = restore(activeflow, activeflow.dialer_id)
    run.end(now)
    run.changed(now)
    journal.flow(run)
    if run.follower is not None:
        # Executed by whoever goes on with executions that nobody holds.
        journal.flow(run.follower, is_new=True)
