"""Rows of calls whose attempt is over and whose dialer died before it could store the end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.dialer.conversations.flow_run import restore
from services.dialer.conversations.journal import Journal
from services.dialer.dialing.attempts import Attempts
from services.dialer.domain.calls import Activeflow, Call, CallStatus


def close_leftovers(
    journal: Journal,
    now: datetime,
    stored: Sequence[tuple[Call, Activeflow | None]],
    attempts: Attempts,
    known: Collection[UUID],
) -> None:
    """Store the end of those that nobody holds: the campaign service knows them as done."""
    for call, activeflow in stored:
        if call.id in known or attempts.get(call.id) is not None:
            continue
        closed = replace(
            call,
            status=CallStatus.HANGUP,
            revision=call.revision + 1,
            tm_hangup=now,
            tm_update=now,
        )
        journal.call(closed, "hangup")
        if activeflow is not None and not activeflow.is_ended:
            run = restore(activeflow, activeflow.dialer_id)
            run.end(now)
            run.changed(now)
            journal.flow(run)
