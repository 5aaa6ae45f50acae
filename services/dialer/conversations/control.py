"""Turns what the network tells into facts: answers, ends, and who is to be hung up.

The one place where an attempt changes state. Everything here is synchronous: an event is handled
completely before the next, so that a stop, a lost lease or a second event never sees a half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from services.common.clock import Clock
from services.common.log import get_logger
from services.dialer.attempts import Attempt, Attempts
from services.dialer.conversations.connects import Connects
from services.dialer.conversations.desk import Desk
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.flows import Flows
from services.dialer.conversations.interpreter import decides_on_machines
from services.dialer.conversations.journal import Journal
from services.dialer.conversations.recordings import Recordings
from services.dialer.conversations.remembered import Remembered, as_the_flow_says
from services.dialer.conversations.reports import Reports
from services.dialer.domain.calls import Activeflow, Call, CallStatus
from services.dialer.domain.campaigns import StopMode
from services.dialer.outcome import Ending, ending_of, not_placed
from services.dialer.telephony import (
    Adopted,
    Answered,
    AnsweredBy,
    Bridged,
    CallState,
    CommandFailed,
    Detected,
    DigitPressed,
    Ended,
    Event,
    HungUpBy,
    LinkChanged,
    Missing,
    NotPlaced,
    NotPlacedReason,
    PlayFinished,
    Recorded,
    Taken,
    Telephony,
)

END_SLACK_SECONDS = 30
"""A conversation is looked for this long (domain) after its longest duration."""


class Control:
    """The attempts' state machine.

    `ended` is told the campaign of every attempt that is over; `link_changed` whether the network can
    be reached. Rows stored by a dialer before come from `remember`, which a take-over fills.
    """

    def __init__(
        self,
        *,
        telephony: Telephony,
        attempts: Attempts,
        reports: Reports,
        journal: Journal,
        clock: Clock,
        dialer_id: str,
        ended: Callable[[UUID], None],
        link_changed: Callable[[bool], None],
    ) -> None:
        self._telephony = telephony
        self._attempts = attempts
        self._reports = reports
        self._journal = journal
        self._clock = clock
        self._dialer_id = dialer_id
        self._ended = ended
        self._link_changed = link_changed
        self._remembered = Remembered(reports, attempts.changed)
        self.flows: Flows
        self.desk: Desk
        self.connects: Connects
        self.recordings: Recordings

    # ------------------------------------------------------------------------------------ events

    def handle(self, events: Sequence[Event]) -> None:
        """Handle a batch from the driver, in order."""
        for event in events:
            if isinstance(event, LinkChanged):
                self._link_changed(event.connected)
                continue
            attempt = self._attempts.get(event.call_id)
            try:
                if isinstance(event, Recorded):
                    # Perhaps of a call that has ended.
                    self.recordings.recorded(event)
                elif attempt is not None:
                    self._of_customer(attempt, event)
                else:
                    self._of_other(event)
            except Exception:
                # A bug met by one call ends that call, not the process with all others.
                get_logger().exception("event_failed", call=str(event.call_id))
                self._telephony.hangup([event.call_id])

    def _of_customer(self, attempt: Attempt, event: Event) -> None:
        match event:
            case Answered():
                self._answered(attempt, event.tm, event.by)
            case Ended():
                self._over(attempt, event.tm, ending_of(attempt, event), event.hung_up_by)
            case NotPlaced(reason=NotPlacedReason.DUPLICATE):
                # It is on the network already: find out where it stands.
                self._telephony.adopt([attempt.id])
            case NotPlaced():
                now = self._clock.now()
                self._over(attempt, now, not_placed(event.reason), HungUpBy.LOCAL)
            case PlayFinished():
                self.flows.play_finished(attempt.id, event.play_id)
                self.desk.play_finished(attempt.id, event.play_id)
            case DigitPressed():
                self.flows.digit(attempt.id, event.digit)
            case Detected():
                self._detected(attempt, event.by)
            case Bridged():
                self.desk.bridged(attempt.id)
                self.connects.bridged(attempt.id)
            case CommandFailed():
                self._command_failed(attempt, event)
            case Adopted():
                self._adopted(attempt, event)
            case Taken():
                self._taken(attempt)
            case _:
                # Ringing is no fact of its own. Missing proves nothing: its deadline will look again.
                pass

    def _of_other(self, event: Event) -> None:
        """Of an agent's phone, or of somebody whom a flow connects."""
        assert not isinstance(event, LinkChanged)
        legs = self.connects if self.connects.is_leg(event.call_id) else self.desk
        match event:
            case Answered():
                legs.leg_answered(event)
            case Adopted():
                self.connects.leg_adopted(event)
            case Ended() | NotPlaced():
                legs.leg_ended(event)
            case Bridged():
                legs.bridged(event.call_id)
            case CommandFailed(command="bridge"):
                legs.bridge_failed(event.call_id)
            case Missing():
                legs.leg_missing(event.call_id)
            case _:
                pass

    def _command_failed(self, attempt: Attempt, event: CommandFailed) -> None:
        match event.command:
            case "bridge":
                self.desk.bridge_failed(attempt.id)
                self.connects.bridge_failed(attempt.id)
            case "start_recording":
                self.recordings.failed(event.reference, event.detail)
            case "detect":
                self._detected(attempt, AnsweredBy.UNKNOWN, event.detail or "not possible")
            case _:
                self.flows.command_failed(attempt.id, event.reference, event.detail)
                self.desk.play_failed(attempt.id, event.reference, event.detail)

    def _detected(self, attempt: Attempt, by: AnsweredBy, failure: str = "") -> None:
        hangs_up = self.flows.detected(attempt.id, by, failure)
        if by is AnsweredBy.MACHINE:
            attempt.is_machine, attempt.takes_machines = True, not hangs_up
        if hangs_up:
            self.hang_up(attempt.id)

    # -------------------------------------------------------------------------------- the answer

    def _answered(self, attempt: Attempt, tm: datetime, by: AnsweredBy, keys: str = "") -> None:
        if attempt.is_answered:
            return
        self._note_answer(attempt, tm, by)
        self._reports.answered(attempt)
        if attempt.call is None:
            attempt.call = self._new_call(attempt)
            self._journal.call(attempt.call, "progressing")
        if self._is_to_end(attempt):
            self._telephony.hangup([attempt.id])
        else:
            self.flows.start(attempt, keys)

    @staticmethod
    def _is_to_end(attempt: Attempt) -> bool:
        """Machines are hung up, unless the flow decides on them."""
        is_machine = attempt.is_machine and not attempt.takes_machines
        return is_machine or attempt.is_hangup_asked or attempt.stop is StopMode.HANGUP

    def _note_answer(self, attempt: Attempt, tm: datetime, by: AnsweredBy) -> None:
        attempt.tm_answer = tm
        attempt.is_machine = by is AnsweredBy.MACHINE
        attempt.takes_machines = decides_on_machines(attempt.actions)
        longest = timedelta(milliseconds=attempt.campaign.max_conversation_ms)
        attempt.deadline = tm + longest + timedelta(seconds=END_SLACK_SECONDS)
        self._attempts.changed(attempt)

    def _new_call(self, attempt: Attempt) -> Call:
        now = self._clock.now()
        return Call(
            id=attempt.id,
            customer_id=attempt.campaign.customer_id,
            campaign_id=attempt.campaign.id,
            activeflow_id=(
                attempt.activeflow_id if attempt.takes_machines or not attempt.is_machine else None
            ),
            status=CallStatus.PROGRESSING,
            source=attempt.source,
            destination=attempt.destination,
            hangup_reason="",
            hangup_by="",
            queuecall_id=None,
            agent_id=None,
            dialer_id=self._dialer_id,
            revision=1,
            tm_create=attempt.tm_create,
            tm_progressing=attempt.tm_answer,
            tm_hangup=None,
            tm_update=now,
        )

    def connected(self, attempt: Attempt, agent_id: UUID) -> None:
        """An agent hears the caller."""
        run = self.flows.of_call(attempt.id)
        queuecall_id = run.queuecall_id if run is not None else None
        self._update_call(attempt, "updated", agent_id=agent_id, queuecall_id=queuecall_id)

    # ----------------------------------------------------------------------------------- the end

    def _over(self, attempt: Attempt, tm: datetime, ending: Ending, hung_up_by: HungUpBy) -> None:
        if ending.tm_answer is not None and attempt.tm_answer is None:
            # The answer was missed, for example while the dialer before was dead.
            attempt.tm_answer = ending.tm_answer
            attempt.call = attempt.call or self._new_call(attempt)
        run = self._leave(attempt)
        self._reports.ended(attempt, tm, ending, run)
        self._update_call(
            attempt,
            "hangup",
            status=CallStatus.HANGUP,
            hangup_reason=ending.reason,
            hangup_by=hung_up_by.value,
            tm_hangup=tm,
        )
        self._attempts.remove(attempt)
        self._ended(attempt.campaign.id)

    def close(self, attempt: Attempt, ending: Ending) -> None:
        """End an attempt that the network says nothing of (deadline, or opened and never placed)."""
        self._over(attempt, self._clock.now(), ending, HungUpBy.NETWORK)

    def forget_closed(self, attempt: Attempt) -> None:
        """The campaign service has closed it: nobody may be on the line any more."""
        self._telephony.hangup([attempt.id])
        self._leave(attempt)
        self._update_call(attempt, "hangup", status=CallStatus.HANGUP, tm_hangup=self._clock.now())
        self._attempts.remove(attempt)
        self._ended(attempt.campaign.id)

    def left_behind(self, activeflow: Activeflow) -> None:
        """A dialer before has left this execution behind, of an attempt that is done: nobody may wait
        for its person, or talk to it, any more."""
        self.desk.left_behind.ended(activeflow)

    def _leave(self, attempt: Attempt) -> FlowRun | None:
        """Nobody is on the line any more: end what was going on there; the execution, if any."""
        row = self._remembered.pop(attempt.id)
        run = self.flows.end(attempt.id, row)
        self.desk.caller_ended(attempt.id, row)
        self.connects.caller_ended(attempt.id, row)
        self.recordings.call_ended(attempt, run)
        return run

    def _update_call(self, attempt: Attempt, event: str, **changes: object) -> None:
        call = attempt.call
        if call is None or call.is_over:
            return
        attempt.call = replace(
            call,
            revision=call.revision + 1,
            tm_update=self._clock.now(),
            dialer_id=self._dialer_id,
            **changes,  # type: ignore[arg-type]
        )
        self._journal.call(attempt.call, event)

    # --------------------------------------------------------------------------- stop and hang up

    def stop(self, attempts: Sequence[Attempt], mode: StopMode) -> None:
        """The campaign is stopping: ringing ones are cancelled, then answered ones hung up."""
        fresh = [each for each in attempts if each.stop is not mode]
        ringing = [each for each in fresh if not each.is_answered]
        answered = [each for each in fresh if each.is_answered]
        for attempt in ringing:
            attempt.is_canceled_by_stop = True
        for attempt in fresh:
            attempt.stop = mode
        if ringing:
            self._telephony.cancel([each.id for each in ringing])
        if answered and mode is StopMode.HANGUP:
            self._telephony.hangup([each.id for each in answered])

    def go_on(self, attempts: Sequence[Attempt]) -> None:
        """The campaign runs again before its stop was over: what is still alive may go on."""
        for attempt in attempts:
            attempt.stop = None

    def hang_up(self, call_id: UUID) -> None:
        """End a call or ringing attempt held here; nothing happens to one that is not."""
        attempt = self._attempts.get(call_id)
        if attempt is None or attempt.is_hangup_asked:
            return
        attempt.is_hangup_asked = True
        if attempt.is_answered:
            self._telephony.hangup([call_id])
        else:
            self._telephony.cancel([call_id])

    # --------------------------------------------------------------------------------- take-over

    def remember(self, call: Call, activeflow: Activeflow | None) -> None:
        """A row of an attempt being taken over, stored by the dialer before."""
        attempt = self._attempts.get(call.id)
        if attempt is not None and attempt.call is None:
            self._remembered.add(attempt, call, activeflow)

    def _adopted(self, attempt: Attempt, event: Adopted) -> None:
        live = event.call
        if live.state is CallState.DIALING:
            if attempt.is_canceled_by_stop:
                self._telephony.cancel([attempt.id])
            return
        row = self._remembered.pop(attempt.id)
        if attempt.is_answered and self.flows.of_call(attempt.id) is not None:
            # Held here all along; the driver has only looked again.
            return
        if row is None or attempt.call is None:
            # Answered after, or just before, the dialer before died: nobody has served it yet.
            answered_at = live.tm_answer or attempt.tm_answer or event.call.tm_place
            attempt.tm_answer = None
            tm = answered_at or self._clock.now()
            self._answered(attempt, tm, live.answered_by, live.digits_pressed)
            return
        self._note_answer(
            attempt, live.tm_answer or attempt.tm_answer or self._clock.now(), live.answered_by
        )
        self._reports.answered(attempt)
        as_the_flow_says(attempt, row)
        if self._is_to_end(attempt):
            # Kept for the end, which is to tell what the flow had set.
            self._remembered.keep(attempt.id, row)
            self._telephony.hangup([attempt.id])
        else:
            self.flows.resume(attempt, row, live)

    def _taken(self, attempt: Attempt) -> None:
        self.flows.drop(attempt.id)
        self.desk.drop(attempt.id)
        self.connects.drop(attempt.id)
        self._remembered.pop(attempt.id)
        self._attempts.remove(attempt)
        self._ended(attempt.campaign.id)
