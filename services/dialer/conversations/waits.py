"""How long people wait for an agent: measured, told to the campaign, and ended when it is too long.

It is measured from the answer if nothing that the flow did before its `queue_join` took time, and from
the `queue_join` if something did: whom nobody has spoken to yet waits from the answer on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from services.common.clock import Clock
from services.dialer.attempts import Attempt
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.domain.cursors import AgentWait
from services.dialer.timers import Timer, Timers


class Waits:
    """See the module. What it finds out stands in the run, where a take-over finds it."""

    def __init__(
        self,
        timers: Timers,
        clock: Clock,
        told: Callable[[UUID, AgentWait], None],
        too_long: Callable[[UUID], None],
    ) -> None:
        """`told` hears of every change, `too_long` of calls whose limit is over without an agent."""
        self._timers = timers
        self._clock = clock
        self._told = told
        self._too_long = too_long
        self._alarms: dict[UUID, Timer] = {}

    def begin(self, attempt: Attempt, run: FlowRun) -> None:
        """An agent is wanted, or still is after a take-over."""
        wait = run.agent_wait = run.agent_wait or AgentWait(_since(attempt, run))
        self.end(attempt.id)
        limit = _limit(attempt, wait)
        if limit is not None and wait.tm_connect is None and wait.tm_abandon is None:
            alarm = self._timers.at(limit, lambda: self._late(attempt, run))
            self._alarms[attempt.id] = alarm

    def connected(self, attempt: Attempt, run: FlowRun) -> None:
        """An agent and the caller hear each other, perhaps after a take-over once more."""
        self.end(attempt.id)
        wait = run.agent_wait or AgentWait(_since(attempt, run))
        if wait.tm_connect is None:
            now = self._clock.now()
            limit = _limit(attempt, wait)
            if limit is not None and limit < now and wait.tm_abandon is None:
                wait = replace(wait, tm_abandon=limit)
            run.agent_wait = replace(wait, tm_connect=now)
            self._told(attempt.id, run.agent_wait)

    def end(self, call_id: UUID) -> None:
        """Nobody waits any more."""
        alarm = self._alarms.pop(call_id, None)
        if alarm is not None:
            alarm.cancel()

    def _late(self, attempt: Attempt, run: FlowRun) -> None:
        self._alarms.pop(attempt.id, None)
        wait = run.agent_wait
        # What has turned out to be a machine may wait as long as it likes.
        if wait is not None and not attempt.is_machine:
            run.agent_wait = replace(wait, tm_abandon=_limit(attempt, wait))
            self._told(attempt.id, run.agent_wait)
            self._too_long(attempt.id)


def _limit(attempt: Attempt, wait: AgentWait) -> datetime | None:
    limit_ms = attempt.campaign.agent_wait_limit_ms
    if not limit_ms or attempt.is_machine:
        return None
    return wait.since + timedelta(milliseconds=limit_ms)


def _since(attempt: Attempt, run: FlowRun) -> datetime:
    first, joined = run.history[0], run.history[-1]
    # Actions that take no time are all executed at one instant.
    if first.tm == joined.tm and attempt.tm_answer is not None:
        return attempt.tm_answer
    return joined.tm
