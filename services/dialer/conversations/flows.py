"""Drives the executions of answered calls: the interpreter's effects become telephony commands.

No task per call: what an execution waits for comes as an event or from one heap of timers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from services.common.clock import Clock
from services.dialer.conversations import interpreter
from services.dialer.conversations.effects import Effect, Finish, JoinQueue, Play, Say, Sleep
from services.dialer.conversations.flow_run import FlowRun, restore
from services.dialer.conversations.journal import Journal
from services.dialer.dialing.attempts import Attempt
from services.dialer.domain.calls import Activeflow, ReferenceType
from services.dialer.domain.variables import of_activeflow, of_call, of_campaign
from services.dialer.telephony import Telephony
from services.dialer.timers import Timer, Timers


class QueueStays(Protocol):
    """What a flow needs of the queue desk."""

    def join(self, attempt: Attempt, run: FlowRun, queue_id: UUID) -> None:
        """Put the caller into a queue."""

    def rejoin(self, attempt: Attempt, run: FlowRun, bridged_with: UUID | None) -> None:
        """Go on with a stay another dialer began."""


class Flows:
    """The executions of the calls this dialer holds, by call id."""

    def __init__(
        self,
        telephony: Telephony,
        timers: Timers,
        journal: Journal,
        clock: Clock,
        dialer_id: str,
        hang_up: Callable[[UUID], None],
    ) -> None:
        self._telephony = telephony
        self._timers = timers
        self._journal = journal
        self._clock = clock
        self._dialer_id = dialer_id
        self._hang_up = hang_up
        self._runs: dict[UUID, FlowRun] = {}
        self._attempts: dict[UUID, Attempt] = {}
        self._sleeps: dict[UUID, Timer] = {}
        self.stays: QueueStays | None = None
        """Set once while wiring: the desk needs the flows too."""

    def __len__(self) -> int:
        return len(self._runs)

    def of_call(self, call_id: UUID) -> FlowRun | None:
        """The execution on a call."""
        return self._runs.get(call_id)

    def find(self, activeflow_id: UUID) -> FlowRun | None:
        """The execution with this id."""
        for run in self._runs.values():
            if run.id == activeflow_id:
                return run
        return None

    def start(self, attempt: Attempt) -> None:
        """Execute the campaign's actions on a call that was just answered."""
        run = self._new_run(attempt)
        self._hold(attempt, run)
        run.changed(run.tm_create)
        self._apply(attempt, run, interpreter.advance(run, self._clock.now()), is_new=True)

    def resume(self, attempt: Attempt, row: Activeflow, bridged_with: UUID | None) -> None:
        """Go on where the dialer before stood; `bridged_with` is the agent's leg, if connected."""
        run = restore(row, self._dialer_id)
        self._hold(attempt, run)
        now = self._clock.now()
        if run.queuecall_id is not None and self.stays is not None:
            run.changed(now)
            self._journal.flow(run)
            self.stays.rejoin(attempt, run, bridged_with)
        elif run.is_ended:
            self._hang_up(attempt.id)
        else:
            self._apply(attempt, run, interpreter.resume(run, now))

    def play_finished(self, call_id: UUID, play_id: str) -> None:
        """What was played or spoken is over."""
        run = self._runs.get(call_id)
        action = run.current if run is not None else None
        if run is None or action is None or action.type not in ("talk", "play"):
            return
        # The end of an asynchronous talk, or of one that was replaced, moves nothing.
        if run.play_id == play_id:
            self._go_on(call_id, run)

    def command_failed(self, call_id: UUID, reference: str, detail: str) -> None:
        """The carrier could not play or speak: the action failed, the flow goes on."""
        run = self._runs.get(call_id)
        if run is not None and run.current is not None and run.play_id == reference:
            run.fail_step(detail)
            self._go_on(call_id, run)

    def digit(self, call_id: UUID, digit: str) -> None:
        """The person pressed a key."""
        run = self._runs.get(call_id)
        if run is not None and interpreter.pressed(run, digit):
            self._telephony.stop_play(call_id)
            self._go_on(call_id, run)

    def left_queue(self, call_id: UUID, detail: str) -> None:
        """The caller is out of the queue without an agent: the flow goes on behind queue_join."""
        run = self._runs.get(call_id)
        if run is None:
            return
        run.queuecall_id = run.queue_id = run.agent_id = None
        run.agent_legs = ()
        run.fail_step(detail)
        self._telephony.stop_play(call_id)
        self._go_on(call_id, run)

    def noted(self, run: FlowRun) -> None:
        """The queue desk changed the run's stay: store it."""
        run.changed(self._clock.now())
        self._journal.flow(run)

    def end(self, call_id: UUID, row: Activeflow | None = None) -> FlowRun | None:
        """The call is over or is to be: so is its execution. `row` is the one a dialer before began,
        if it is not gone on with yet.
        """
        run = self._runs.pop(call_id, None)
        if run is None and row is not None:
            run = restore(row, self._dialer_id)
        self._attempts.pop(call_id, None)
        self._wake_no_more(call_id)
        if run is not None and not run.is_ended:
            run.end(self._clock.now())
            run.changed(self._clock.now())
            self._journal.flow(run)
        return run

    def drop(self, call_id: UUID) -> None:
        """Another dialer has the call: forget it without a trace."""
        self._runs.pop(call_id, None)
        self._attempts.pop(call_id, None)
        self._wake_no_more(call_id)

    def _new_run(self, attempt: Attempt) -> FlowRun:
        campaign = attempt.campaign
        flow_id = campaign.flow_id
        return FlowRun(
            id=attempt.activeflow_id,
            customer_id=campaign.customer_id,
            campaign_id=campaign.id,
            flow_id=flow_id,
            reference_type=ReferenceType.CALL,
            reference_id=attempt.id,
            actions=attempt.actions,
            variables={
                **of_activeflow(attempt.activeflow_id, "call", attempt.id, flow_id),
                **of_call(attempt.id, attempt.source, attempt.destination),
                **of_campaign(
                    campaign,
                    attempt.target,
                    attempt.id,
                    attempt.destination,
                    attempt.destination_index,
                    attempt.try_count,
                ),
            },
            dialer_id=self._dialer_id,
            tm_create=self._clock.now(),
        )

    def _hold(self, attempt: Attempt, run: FlowRun) -> None:
        self._runs[attempt.id] = run
        self._attempts[attempt.id] = attempt

    def _go_on(self, call_id: UUID, run: FlowRun) -> None:
        self._wake_no_more(call_id)
        self._apply(self._attempts[call_id], run, interpreter.complete(run, self._clock.now()))

    def _apply(
        self, attempt: Attempt, run: FlowRun, effects: Sequence[Effect], *, is_new: bool = False
    ) -> None:
        run.changed(self._clock.now())
        self._journal.flow(run, is_new=is_new)
        for effect in effects:
            self._carry_out(attempt, run, effect)

    def _carry_out(self, attempt: Attempt, run: FlowRun, effect: Effect) -> None:
        match effect:
            case Say(play_id, text, language):
                self._telephony.say(attempt.id, play_id, text, language=language)
            case Play(play_id, urls):
                self._telephony.play(attempt.id, play_id, urls)
            case Sleep(until):
                self._sleeps[attempt.id] = self._timers.at(
                    until, lambda: self._go_on(attempt.id, run)
                )
            case JoinQueue(queue_id):
                if self.stays is not None:
                    self.stays.join(attempt, run, queue_id)
            case Finish():
                self._hang_up(attempt.id)

    def _wake_no_more(self, call_id: UUID) -> None:
        timer = self._sleeps.pop(call_id, None)
        if timer is not None:
            timer.cancel()
