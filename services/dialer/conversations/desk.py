"""The queue desk: callers join, get agents, talk and leave.

The queue service decides who serves whom; the desk does it on the network and tells what came of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from uuid import UUID

from services.common.clock import Clock
from services.dialer.attempts import Attempt
from services.dialer.conversations.errands import Errands
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.flows import Flows
from services.dialer.conversations.recordings import Recordings
from services.dialer.conversations.reports import Reports
from services.dialer.conversations.ringing import Ringing
from services.dialer.conversations.seeking import Seeker
from services.dialer.conversations.stays import Stay, Stays, StayState
from services.dialer.conversations.stored_stays import StoredStays
from services.dialer.conversations.wait_loops import WaitLoops
from services.dialer.conversations.waits import Waits
from services.dialer.delivery import Delivery
from services.dialer.domain.calls import Activeflow
from services.dialer.domain.queuecalls import (
    Assignment,
    EndReason,
    Joining,
    QueuecallEnd,
    QueueFacts,
    QueueNews,
    QueueReport,
    QueueReportKind,
)
from services.dialer.domain.recordings import RecordingWish
from services.dialer.domain.variables import of_queue, of_queue_facts
from services.dialer.ports import Queues
from services.dialer.telephony import Answered, Ended, NotPlaced, Telephony
from services.dialer.timers import Timers

UNREACHABLE_PAUSE_SECONDS = 1.0
"""After carrier trouble a caller waits this long (real) before asking for an agent again."""


class Desk:
    """See the module. `connected` and `agent_changed` tell the rest of the dialer about an
    attempt; `journaled` returns when these executions are stored.

    A caller's joining, and an agent's, are stored before the queue service is told of them: whoever
    takes over after a crash knows at least as much as the queue does, and the campaign counts the same.
    """

    def __init__(
        self,
        queues: Queues,
        telephony: Telephony,
        flows: Flows,
        clock: Clock,
        *,
        timers: Timers,
        errands: Errands,
        recordings: Recordings,
        journaled: Callable[[Collection[UUID]], Awaitable[None]],
        attempt_reports: Reports,
        connected: Callable[[Attempt, UUID], None],
        agent_changed: Callable[[Attempt], None],
        hang_up: Callable[[UUID], None],
    ) -> None:
        self._queues = queues
        self._telephony = telephony
        self._flows = flows
        self._clock = clock
        self._connected = connected
        self._agent_changed = agent_changed
        self._hang_up = hang_up
        self._journaled = journaled
        self._recordings = recordings
        self._attempt_reports = attempt_reports
        self._waits = Waits(timers, clock, attempt_reports.waited, self._too_long)
        self._loops = WaitLoops(telephony, timers, errands, clock, flows.noted)
        self.stays = Stays()
        self._ringing = Ringing(telephony, self.stays, clock, self._note, self._answered_none)
        self.joins = Delivery("queue_join", self._join, clock=clock, delay=0.002)
        self.left_behind = StoredStays(telephony, self.joins.add, clock, attempt_reports)
        self.reports: Delivery[QueueReport] = Delivery(
            "queue_report", self._send_reports, clock=clock, delay=0.002
        )
        self.seeker = Seeker(queues, self.stays, clock, self._untold, self._hear)

    # -------------------------------------------------------------------------- the caller's side

    def join(self, attempt: Attempt, run: FlowRun, queue_id: UUID) -> None:
        """Put the caller into a queue, with music."""
        # The same id after a take-over: nobody is in the queue twice for one step.
        run.queuecall_id, run.queue_id = run.step_id("queuecall"), queue_id
        run.variables.update(of_queue(queue_id, run.queuecall_id))
        stay = Stay(run.queuecall_id, queue_id, attempt, run)
        self._waits.begin(attempt, run)
        self._flows.noted(run)
        self._enter(stay)

    def rejoin(self, attempt: Attempt, run: FlowRun, bridged_with: UUID | None) -> None:
        """Go on with a stay another dialer began: in conversation, or waiting once more."""
        assert run.queuecall_id is not None
        assert run.queue_id is not None
        stay = Stay(run.queuecall_id, run.queue_id, attempt, run)
        strays = [leg for leg in run.agent_legs if leg != bridged_with]
        if strays:
            # They ring for a bridge nobody would make any more.
            self._telephony.hangup(strays)
        if bridged_with is None:
            self._enter(stay)
            self._waits.begin(attempt, run)
            self._abandon_if_late(stay)
            return
        stay.agent_id = run.agent_id
        self.stays.add(stay)
        self.stays.add_leg(stay, bridged_with)
        stay.bridged_leg = bridged_with
        self._telephony.adopt([bridged_with])
        self._in_service(stay)

    def caller_ended(self, call_id: UUID, row: Activeflow | None = None) -> None:
        """The caller's call is over: so is the stay, and the agent's call with it. `row` names one
        that a dialer before began and this one has not gone on with: its agent is to be freed too.
        """
        stay = self.stays.of_call(call_id)
        if stay is not None:
            self._leave(stay)
        elif row is not None:
            self.left_behind.ended(row)

    def drop(self, call_id: UUID) -> None:
        """Another dialer has the call."""
        stay = self.stays.of_call(call_id)
        if stay is not None:
            self._forget_waiting(call_id)
            self._attempt_reports.release(call_id)
            self.stays.remove(stay)

    # --------------------------------------------------------------------------- the agent's side

    def leg_answered(self, event: Answered) -> None:
        """An agent's phone was taken."""
        stay = self.stays.of_leg(event.call_id)
        if stay is None:
            self._telephony.hangup([event.call_id])
            return
        self._ringing.answered(stay, event)
        self._tune(stay)

    def leg_ended(self, event: Ended | NotPlaced) -> None:
        """An agent's phone is silent."""
        self._telephony.settled([event.call_id])
        stay = self.stays.of_leg(event.call_id)
        if stay is None:
            return
        if stay.state is StayState.SERVICE and event.call_id == stay.bridged_leg:
            self._leave(stay)
            self._hang_up(stay.call_id)
        else:
            self._ringing.ended(stay, event)
            self._tune(stay)

    def leg_missing(self, leg: UUID) -> None:
        """A conversation was taken over, and its agent's leg is gone: so the conversation is over."""
        stay = self.stays.of_leg(leg)
        if stay is not None and leg == stay.bridged_leg:
            self._leave(stay)
            self._hang_up(stay.call_id)

    def play_finished(self, call_id: UUID, play_id: str) -> None:
        """What a caller heard is over."""
        self._loops.finished(call_id, play_id)

    def play_failed(self, call_id: UUID, play_id: str, detail: str) -> None:
        """A caller could not be let hear something."""
        self._loops.failed(call_id, play_id, detail)

    def bridged(self, call_id: UUID) -> None:
        """Caller and agent hear each other. Told for both legs; the second time changes nothing."""
        stay = self.stays.of_call(call_id) or self.stays.of_leg(call_id)
        if stay is not None and stay.state is StayState.BRIDGING:
            self._in_service(stay)

    def bridge_failed(self, call_id: UUID) -> None:
        """The network could not connect them: the agent is given back, the caller waits again."""
        stay = self.stays.of_call(call_id) or self.stays.of_leg(call_id)
        if stay is not None and stay.state is StayState.BRIDGING:
            self._ringing.give_up(stay)
            stay.is_carrier_at_fault = True
            self._answered_none(stay)

    # ------------------------------------------------------------------------- the queue's side

    def _hear(self, news: QueueNews) -> None:
        for assignment in news.assignments:
            self._assigned(assignment)
        for end in news.ends:
            self._taken_out(end)
        for queuecall_id in news.lost:
            stay = self.stays.get(queuecall_id)
            # Once the agent has answered, the connection stands.
            if stay is not None and stay.state is StayState.RINGING:
                self._ringing.give_up(stay)
                self._wait_again(stay)

    def _assigned(self, assignment: Assignment) -> None:
        stay = self.stays.get(assignment.queuecall_id)
        # A caller who left meanwhile has told the queue so, which frees the agent.
        if stay is None or stay.state is not StayState.WAITING:
            return
        stay.attempt.has_agent = True
        self._agent_changed(stay.attempt)
        stay.agent_id = assignment.agent_id
        self._report(stay, QueueReportKind.RINGING)
        self._ringing.begin(stay, assignment)

    def _taken_out(self, end: QueuecallEnd) -> None:
        stay = self.stays.get(end.queuecall_id)
        if stay is None or stay.state in (StayState.JOINING, StayState.LEFT):
            return
        is_serving = stay.state in (StayState.SERVICE, StayState.BRIDGING)
        if is_serving and end.reason in (EndReason.UNKNOWN, EndReason.WAIT_TIMEOUT):
            # Two people are talking, of which the queue has not heard yet: no reason to interrupt.
            return
        if end.reason in (EndReason.KICKED, EndReason.SERVICE_TIMEOUT) or is_serving:
            self._leave(stay)
            self._hang_up(stay.call_id)
            return
        self._leave(stay)
        self._flows.left_queue(stay.call_id, f"no agent: {end.reason}")

    # ------------------------------------------------------------------------------------ inside

    async def _send_reports(self, reports: Sequence[QueueReport]) -> None:
        await self._journaled([each.run_id for each in reports if each.run_id is not None])
        await self._queues.report(reports)
        self.seeker.wake()

    async def _join(self, joinings: Sequence[Joining]) -> None:
        stays = [self.stays.get(each.queuecall_id) for each in joinings]
        await self._journaled([stay.run.id for stay in stays if stay is not None])
        joined = await self._queues.join(joinings)
        facts = {each.queue_id: each for each in joined.queues}
        for joining in joinings:
            stay = self.stays.get(joining.queuecall_id)
            if stay is not None:
                self._joined(stay, joined.refused)
                if stay.queue_id in facts and stay.state is StayState.WAITING:
                    self._learned(stay, facts[stay.queue_id])
            for report in self.left_behind.joined(joining.queuecall_id, joining.call_id):
                self.reports.add(report)
        self.seeker.wake()

    def _learned(self, stay: Stay, facts: QueueFacts) -> None:
        run = stay.run
        run.variables.update(of_queue_facts(facts))
        run.records_service = facts.is_recorded
        self._flows.noted(run)
        if facts.wait_flow_id is not None:
            self._loops.begin(stay.call_id, run, facts.wait_flow_id)

    def _joined(self, stay: Stay, refused: Collection[UUID]) -> None:
        if stay.state is StayState.LEFT:
            self._attempt_reports.release(stay.call_id)
        if stay.queuecall_id in refused:
            self.stays.remove(stay)
            if stay.state is not StayState.LEFT:
                self._flows.left_queue(stay.call_id, "the queue does not exist")
        elif stay.state is StayState.LEFT:
            self._report(stay, QueueReportKind.ENDED)
            self.stays.remove(stay)
        elif stay.state is StayState.JOINING:
            stay.state = StayState.WAITING

    def _enter(self, stay: Stay) -> None:
        stay.state = StayState.JOINING
        self.stays.add(stay)
        self._telephony.hold(stay.call_id, f"hold-{stay.queuecall_id}")
        campaign = stay.attempt.campaign
        self.joins.add(
            Joining(
                queuecall_id=stay.queuecall_id,
                queue_id=stay.queue_id,
                customer_id=campaign.customer_id,
                campaign_id=campaign.id,
                call_id=stay.call_id,
                tm=self._clock.now(),
            )
        )

    def _leave(self, stay: Stay) -> None:
        self._forget_waiting(stay.call_id)
        if stay.state is StayState.JOINING:
            # Ended only after the queue has it, or it would wait there for ever. The attempt, too: the
            # two are to count the same whoever of us dies.
            stay.state, stay.tm_left = StayState.LEFT, self._clock.now()
            self._attempt_reports.hold(stay.call_id)
            return
        if stay.state is StayState.LEFT:
            return
        self._ringing.give_up(stay)
        self._report(stay, QueueReportKind.ENDED)
        self.stays.remove(stay)

    def _too_long(self, call_id: UUID) -> None:
        stay = self.stays.of_call(call_id)
        if stay is not None:
            self._flows.noted(stay.run)
            self._abandon_if_late(stay)

    def _abandon_if_late(self, stay: Stay) -> None:
        """A caller who has waited too long leaves the queue, if the campaign has actions for that.

        Not one whose agent has answered: they are being connected, and nothing could be said better.
        """
        attempt, wait = stay.attempt, stay.run.agent_wait
        is_late = wait is not None and wait.tm_abandon is not None
        is_waiting = stay.state in (StayState.JOINING, StayState.WAITING, StayState.RINGING)
        if is_late and is_waiting and attempt.campaign.abandonment_actions:
            self._leave(stay)
            attempt.has_agent, attempt.has_left_queue = False, True
            self._agent_changed(attempt)
            limit = attempt.campaign.agent_wait_limit_ms
            self._flows.abandon(stay.call_id, f"no agent within {limit} ms")

    def _in_service(self, stay: Stay) -> None:
        stay.state = StayState.SERVICE
        self._loops.end(stay.call_id)
        self._waits.connected(stay.attempt, stay.run)
        if stay.run.records_service:
            self._recordings.begin(stay.attempt, stay.run, RecordingWish())
        stay.attempt.has_agent = True
        self._agent_changed(stay.attempt)
        self._note(stay)
        self._report(stay, QueueReportKind.CONNECTED)
        if stay.agent_id is not None:
            self._connected(stay.attempt, stay.agent_id)

    def _answered_none(self, stay: Stay) -> None:
        if stay.is_carrier_at_fault:
            self._report(stay, QueueReportKind.UNREACHABLE)
            stay.not_before = self._clock.boottime() + UNREACHABLE_PAUSE_SECONDS
        else:
            self._report(stay, QueueReportKind.NO_ANSWER)
        self._wait_again(stay)

    def _wait_again(self, stay: Stay) -> None:
        stay.state = StayState.WAITING
        stay.agent_id = None
        stay.attempt.has_agent = False
        self._agent_changed(stay.attempt)
        self._note(stay)
        self._tune(stay)
        self.seeker.wake()
        self._abandon_if_late(stay)

    def _tune(self, stay: Stay) -> None:
        self._loops.pause(stay.call_id, is_on=stay.state is StayState.BRIDGING)

    def _forget_waiting(self, call_id: UUID) -> None:
        self._waits.end(call_id)
        self._loops.end(call_id)

    def _untold(self) -> Collection[UUID]:
        return {report.queuecall_id for report in self.reports.pending()}

    def _note(self, stay: Stay) -> None:
        stay.run.agent_id = stay.agent_id
        stay.run.agent_legs = tuple(stay.legs)
        self._flows.noted(stay.run)

    def _report(self, stay: Stay, kind: QueueReportKind) -> None:
        run_id = stay.run.id if kind is QueueReportKind.CONNECTED else None
        tm = stay.tm_left or self._clock.now()
        self.reports.add(QueueReport(stay.queuecall_id, kind, stay.agent_id, tm, run_id))
