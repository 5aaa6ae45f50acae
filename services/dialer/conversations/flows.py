"""Drives the executions this dialer holds: the interpreter's effects become commands and errands.

No task per call: what an execution waits for comes as an event, from one heap of timers, or as the
result of an errand. Executions without a call are driven the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from services.common.clock import Clock
from services.dialer.attempts import Attempt
from services.dialer.conversations import interpreter
from services.dialer.conversations.effects import Effect, Fetch, FetchFlow, Finish, SendWebhook
from services.dialer.conversations.errands import Result
from services.dialer.conversations.flow_run import FlowRun, Frame, restore
from services.dialer.conversations.journal import Journal
from services.dialer.conversations.performer import Performer
from services.dialer.domain.calls import Activeflow, ReferenceType
from services.dialer.domain.variables import of_activeflow, of_call, of_campaign, without_queue
from services.dialer.telephony import AnsweredBy, LiveCall, Telephony
from services.dialer.timers import Timer

PLAYING = frozenset({"talk", "play", "beep", "digits_send", "echo"})
"""Actions that are over when the network says that a play is."""


@dataclass(slots=True)
class _Held:
    """An execution, the call it runs on, and what wakes it."""

    run: FlowRun
    attempt: Attempt | None
    timer: Timer | None = None


class Flows:
    """The executions this dialer holds, by call id; those without a call by their own."""

    def __init__(
        self,
        telephony: Telephony,
        performer: Performer,
        journal: Journal,
        clock: Clock,
        dialer_id: str,
    ) -> None:
        self._telephony = telephony
        self._performer = performer
        self._journal = journal
        self._clock = clock
        self._dialer_id = dialer_id
        self._held: dict[UUID, _Held] = {}
        self._keys: dict[UUID, UUID] = {}  # by id of the execution

    def __len__(self) -> int:
        return len(self._held)

    def of_call(self, call_id: UUID) -> FlowRun | None:
        """The execution on a call."""
        held = self._held.get(call_id)
        return None if held is None else held.run

    def find(self, activeflow_id: UUID) -> FlowRun | None:
        """The execution with this id."""
        key = self._keys.get(activeflow_id)
        return None if key is None else self._held[key].run

    def without_call(self) -> list[UUID]:
        """Ids of the executions held that run without a call."""
        return [held.run.id for held in self._held.values() if held.attempt is None]

    # -------------------------------------------------------------------------- begin and go on

    def start(self, attempt: Attempt, keys: str = "") -> None:
        """Execute the campaign's actions on a call that was just answered. `keys` were pressed while
        nobody held it.
        """
        run = self._new_run(attempt)
        held = self._hold(run, attempt)
        for key in keys:
            interpreter.pressed(run, key)
        run.changed(run.tm_create)
        self._apply(held, interpreter.advance(run, self._clock.now()), is_new=True)

    def resume(self, attempt: Attempt, row: Activeflow, live: LiveCall) -> None:
        """Go on where the dialer before stood, with the call as the network has it."""
        run = restore(row, self._dialer_id)
        held = self._hold(run, attempt)
        self._performer.recordings.hold(attempt, run)
        if run.is_ended:
            self._performer.on_call(attempt, run, Finish(), lambda: None)
            return
        self._ask_again(attempt, run)
        if self._keys_missed(held, live.digits_pressed[run.keys.count :]):
            return
        if run.queuecall_id is not None:
            self._note(run)
            self._performer.desk.rejoin(attempt, run, live.bridged_with)
        elif run.agent_legs:
            self._note(run)
            self._performer.connects.rejoin(attempt, run, live.bridged_with)
        else:
            self._apply(held, interpreter.resume(run, self._clock.now()))

    def execute(self, row: Activeflow) -> tuple[FlowRun, list[Effect]]:
        """Begin an execution without a call: as far as nothing takes time. Held unless it has ended."""
        run = restore(row, self._dialer_id)
        effects = interpreter.advance(run, self._clock.now())
        run.changed(self._clock.now())
        if not run.is_ended:
            self._hold(run, None)
        return run, effects

    def perform(self, run: FlowRun, effects: Sequence[Effect]) -> None:
        """Let what takes time begin, after `execute`."""
        held = self._held.get(run.key)
        if held is not None and held.run is run:
            self._carry_out(held, effects)
        self._follow(run, is_stored=True)

    def resume_without_call(self, row: Activeflow) -> None:
        """Go on with an execution without a call that another dialer, or this one's former process,
        has left behind."""
        run = restore(row, self._dialer_id)
        held = self._hold(run, None)
        self._apply(held, interpreter.resume(run, self._clock.now()))

    # ------------------------------------------------------------------------------- what happens

    def play_finished(self, call_id: UUID, play_id: str) -> None:
        """What was played or spoken is over."""
        held = self._held.get(call_id)
        action = held.run.current if held is not None else None
        # The end of an asynchronous talk, or of one that was replaced, moves nothing.
        if held is None or action is None or action.type not in PLAYING:
            return
        if held.run.play_id == play_id:
            self._go_on(held)

    def command_failed(self, call_id: UUID, reference: str, detail: str) -> None:
        """The carrier could not play, speak or send: the action failed, the flow goes on."""
        held = self._held.get(call_id)
        action = held.run.current if held is not None else None
        if held is None or action is None or action.type not in PLAYING:
            return
        if held.run.play_id == reference:
            held.run.fail_step(detail)
            self._go_on(held)

    def digit(self, call_id: UUID, digit: str) -> None:
        """The person pressed a key."""
        held = self._held.get(call_id)
        if held is not None and not self._key(held, digit):
            # Kept for a take-over.
            self._note(held.run)

    def detected(self, call_id: UUID, by: AnsweredBy, failure: str = "") -> bool:
        """The network has said who answered, or that it cannot; True when that call is to be hung up
        as a machine's.
        """
        held = self._held.get(call_id)
        if held is None or held.run.detection is None:
            return False
        execution = held.run.detection.execution
        hangs_up, effects = interpreter.detected(held.run, by, self._clock.now())
        if failure:
            held.run.fail_step(failure, execution)
        self._apply(held, effects)
        return hangs_up

    def left_queue(self, call_id: UUID, detail: str) -> None:
        """The caller is out of the queue without an agent: the flow goes on behind queue_join."""
        held = self._held.get(call_id)
        if held is None:
            return
        self._out_of_queue(held.run, detail)
        self._go_on(held)

    def abandon(self, call_id: UUID, detail: str) -> None:
        """No agent has come in time: the caller is out of the queue, and the campaign's abandonment
        actions take the place of what the flow had still before it.
        """
        held = self._held.get(call_id)
        if held is None or held.attempt is None:
            return
        self._out_of_queue(held.run, detail)
        held.run.replace_rest(held.attempt.campaign.abandonment_actions)
        self._wake_no_more(held)
        self._apply(held, interpreter.advance(held.run, self._clock.now()))

    def connect_over(self, call_id: UUID, failure: str) -> None:
        """The conversation of a `connect` is over, or there was none: the flow goes on behind it."""
        held = self._held.get(call_id)
        if held is None:
            return
        if failure:
            held.run.fail_step(failure)
        self._go_on(held)

    def noted(self, run: FlowRun) -> None:
        """Somebody who works for the run has changed it: store it."""
        self._note(run)

    # ------------------------------------------------------------------------------------ the end

    def end(self, key: UUID, row: Activeflow | None = None) -> FlowRun | None:
        """The call is over or is to be: so is its execution. `row` is the one a dialer before began,
        if it is not gone on with yet.
        """
        held = self._forget(key)
        run = None if held is None else held.run
        if run is None and row is not None:
            run = restore(row, self._dialer_id)
        if run is not None and not run.is_ended:
            run.end(self._clock.now())
            self._note(run)
            self._follow(run)
        return run

    def drop(self, key: UUID) -> None:
        """Another dialer has it: forget it without a trace."""
        held = self._forget(key)
        if held is not None:
            self._performer.recordings.drop(held.run)

    # ------------------------------------------------------------------------------------- inside

    def _out_of_queue(self, run: FlowRun, detail: str) -> None:
        run.queuecall_id = run.queue_id = run.agent_id = None
        run.agent_legs = ()
        without_queue(run.variables)
        run.fail_step(detail)
        self._telephony.stop_play(run.key)

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
            frames=[Frame(attempt.actions)],
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
            on_complete_flow_id=campaign.on_complete_flow_id,
        )

    def _hold(self, run: FlowRun, attempt: Attempt | None) -> _Held:
        run.capabilities = self._telephony.capabilities
        run.address_types = self._telephony.address_types
        held = self._held[run.key] = _Held(run, attempt)
        self._keys[run.id] = run.key
        return held

    def _forget(self, key: UUID) -> _Held | None:
        held = self._held.pop(key, None)
        if held is not None:
            self._keys.pop(held.run.id, None)
            self._wake_no_more(held)
        return held

    def _keys_missed(self, held: _Held, keys: str) -> bool:
        """Note keys that were pressed while nobody held the call; True when they moved the flow."""
        moved = False
        for key in keys:
            moved = self._key(held, key) or moved
        return moved

    def _key(self, held: _Held, digit: str) -> bool:
        if not interpreter.pressed(held.run, digit):
            return False
        action = held.run.current
        if action is not None and action.type == "talk":
            self._telephony.stop_play(held.run.key)
        self._go_on(held)
        return True

    def _ask_again(self, attempt: Attempt, run: FlowRun) -> None:
        """An action that the flow has passed has asked who answered, and nobody heard the answer."""
        detection = run.detection
        if detection is not None and detection.execution != run.executions:
            self._telephony.detect(attempt.id)

    def _go_on(self, held: _Held) -> None:
        self._wake_no_more(held)
        self._apply(held, interpreter.complete(held.run, self._clock.now()))

    def _apply(self, held: _Held, effects: Sequence[Effect], *, is_new: bool = False) -> None:
        held.run.changed(self._clock.now())
        self._journal.flow(held.run, is_new=is_new)
        self._follow(held.run)
        self._carry_out(held, effects)

    def _follow(self, run: FlowRun, *, is_stored: bool = False) -> None:
        """Execute what starts because the run has ended."""
        follower = run.follower
        if follower is None or run.is_followed:
            return
        run.is_followed = True
        follower.dialer_id = self._dialer_id
        held = self._hold(follower, None)
        self._apply(held, interpreter.advance(follower, self._clock.now()), is_new=not is_stored)

    def _carry_out(self, held: _Held, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Fetch | FetchFlow | SendWebhook):
                over = partial(self._errand_over, held, held.run.executions)
                self._performer.errand(held.run, effect, over)
            elif held.attempt is not None:
                timer = self._performer.on_call(
                    held.attempt, held.run, effect, lambda: self._go_on(held)
                )
                held.timer = timer or held.timer
            elif isinstance(effect, Finish):
                self._forget(held.run.key)

    def _errand_over(self, held: _Held, execution: int, result: Result) -> None:
        run = held.run
        is_wanted = self._held.get(run.key) is held and run.executions == execution
        if not is_wanted or run.is_ended:
            return
        if run.fetches_itself:
            # The flow says what is to start at its end.
            run.on_complete_flow_id = result.on_complete_flow_id
        if result.actions is not None:
            self._apply(held, interpreter.push(run, result.actions, self._clock.now()))
            return
        if result.failure:
            run.fail_step(result.failure)
        else:
            run.note_step(result.detail)
        self._go_on(held)

    def _note(self, run: FlowRun) -> None:
        run.changed(self._clock.now())
        self._journal.flow(run)

    def _wake_no_more(self, held: _Held) -> None:
        if held.timer is not None:
            held.timer.cancel()
            held.timer = None
