"""Conversations that a dialer before has stored and this one has not gone on with yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from services.dialer.attempts import Attempt
from services.dialer.conversations.interpreter import (
    decides_on_machines,
    was_hung_up_as_machine,
)
from services.dialer.conversations.reports import Reports
from services.dialer.domain.calls import Activeflow, Call
from services.dialer.domain.variables import AMD
from services.dialer.telephony import AnsweredBy


class Remembered:
    """The executions by call. What was stored is told to the campaign service once more: the dialer
    before may have died before it had."""

    def __init__(self, reports: Reports, changed: Callable[[Attempt], None]) -> None:
        self._reports = reports
        self._changed = changed
        self._rows: dict[UUID, Activeflow] = {}

    def add(self, attempt: Attempt, call: Call, activeflow: Activeflow | None) -> None:
        """A call that is being taken over, and its execution."""
        attempt.call = call
        if activeflow is None:
            return
        row = self._rows[call.id] = _with_connection(activeflow, attempt)
        as_the_flow_says(attempt, row)
        if attempt.tm_answer is None and call.tm_progressing is not None:
            attempt.tm_answer = call.tm_progressing
            self._reports.answered(attempt)
        if row.cursor.agent_wait is not None:
            self._reports.waited(attempt.id, row.cursor.agent_wait)
        self._changed(attempt)

    def keep(self, call_id: UUID, row: Activeflow) -> None:
        """Not to be gone on with, but its end is to tell what the flow had set."""
        self._rows[call_id] = row

    def pop(self, call_id: UUID) -> Activeflow | None:
        """The execution on the call, if it was not gone on with; forgotten from now on."""
        return self._rows.pop(call_id, None)


def as_the_flow_says(attempt: Attempt, row: Activeflow) -> None:
    """What the flow has made, before the take-over, of a machine that answered and of waiting."""
    wait = row.cursor.agent_wait
    has_left = row.cursor.queuecall_id is None
    attempt.has_left_queue = has_left and wait is not None and wait.tm_abandon is not None
    if was_hung_up_as_machine(row.history):
        attempt.is_machine, attempt.takes_machines = True, False
    elif row.variables.get(AMD) == AnsweredBy.MACHINE.value:
        attempt.is_machine, attempt.takes_machines = True, True
    else:
        attempt.takes_machines = decides_on_machines(attempt.actions)


def _with_connection(row: Activeflow, attempt: Attempt) -> Activeflow:
    """The row, with the connection that the campaign service heard of before it was stored."""
    wait = row.cursor.agent_wait
    if attempt.tm_connect is None or wait is None or wait.tm_connect is not None:
        return row
    known = replace(wait, tm_connect=attempt.tm_connect)
    return replace(row, cursor=replace(row.cursor, agent_wait=known))
