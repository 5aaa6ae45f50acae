"""What this process itself holds, as the RPC side sees it (port LiveSide)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from services.common.clock import Clock
from services.dialer.attempts import Attempt, Attempts
from services.dialer.conversations.control import Control
from services.dialer.conversations.effects import Effect
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.flows import Flows
from services.dialer.domain.calls import Activeflow, Call, CallStatus
from services.dialer.ports import Executed


class Live:
    """Calls, ringing attempts and activeflows in memory."""

    def __init__(
        self, attempts: Attempts, control: Control, flows: Flows, clock: Clock, dialer_id: str
    ) -> None:
        self._attempts = attempts
        self._control = control
        self._flows = flows
        self._clock = clock
        self._dialer_id = dialer_id
        self._begun: dict[UUID, tuple[FlowRun, list[Effect]]] = {}

    def customer_of_call(self, call_id: UUID) -> UUID | None:
        """See LiveSide."""
        attempt = self._attempts.get(call_id)
        return None if attempt is None else attempt.campaign.customer_id

    def hangup_call(self, call_id: UUID) -> Call:
        """See LiveSide."""
        attempt = self._attempts.get(call_id)
        assert attempt is not None, "ask customer_of_call first"
        call = attempt.call or self._ringing(attempt)
        self._control.hang_up(call_id)
        status = CallStatus.TERMINATING if attempt.is_answered else CallStatus.CANCELING
        return replace(call, status=status)

    def customer_of_activeflow(self, activeflow_id: UUID) -> UUID | None:
        """See LiveSide."""
        run = self._flows.find(activeflow_id)
        return None if run is None else run.customer_id

    def stop_activeflow(self, activeflow_id: UUID) -> Activeflow:
        """See LiveSide."""
        run = self._flows.find(activeflow_id)
        assert run is not None, "ask customer_of_activeflow first"
        self._flows.end(run.key)
        if run.reference_id is not None:
            self._control.hang_up(run.reference_id)
        return run.stored()

    def end_unstorable(self, activeflow_id: UUID) -> None:
        """End an execution that cannot be stored, and its call. Nothing more is told of it here."""
        run = self._flows.find(activeflow_id)
        if run is None:
            return
        run.end(self._clock.now())
        self._flows.drop(run.key)
        if run.reference_id is not None:
            self._control.hang_up(run.reference_id)

    def execute(self, activeflow: Activeflow) -> Executed:
        """See LiveSide."""
        run, effects = self._flows.execute(activeflow)
        webhooks, run.webhooks = run.webhooks, []
        follower = None if run.follower is None else run.follower.stored()
        if not run.is_ended or follower is not None:
            self._begun[run.id] = (run, effects)
        return Executed(run.stored(), webhooks, follower)

    def go_on(self, activeflow_id: UUID) -> None:
        """See LiveSide."""
        begun = self._begun.pop(activeflow_id, None)
        if begun is not None:
            self._flows.perform(*begun)

    def give_up(self, activeflow_id: UUID) -> None:
        """See LiveSide."""
        if self._begun.pop(activeflow_id, None) is not None:
            self._flows.drop(activeflow_id)

    def _ringing(self, attempt: Attempt) -> Call:
        return Call(
            id=attempt.id,
            customer_id=attempt.campaign.customer_id,
            campaign_id=attempt.campaign.id,
            activeflow_id=None,
            status=CallStatus.DIALING,
            source=attempt.source,
            destination=attempt.destination,
            hangup_reason="",
            hangup_by="",
            queuecall_id=None,
            agent_id=None,
            dialer_id=self._dialer_id,
            revision=0,
            tm_create=attempt.tm_create,
            tm_progressing=None,
            tm_hangup=None,
            tm_update=self._clock.now(),
        )
