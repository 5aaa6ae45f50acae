"""One execution of actions in memory, and its stored form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.common.actions import Action
from services.dialer.domain.calls import (
    Activeflow,
    Cursor,
    ReferenceType,
    Step,
    StepOutcome,
)

MAX_EXECUTIONS = 100
"""Actions begun in one activeflow; one more ends it."""
MAX_HOPS = 1000
"""Actions passed in one search for the next that waits."""


@dataclass(slots=True)
class FlowRun:
    """Where an execution stands. Only the interpreter moves it; the one who drives it reads it."""

    id: UUID
    customer_id: UUID
    campaign_id: UUID | None
    flow_id: UUID | None
    reference_type: ReferenceType
    reference_id: UUID | None
    actions: tuple[Action, ...]
    variables: dict[str, str]
    dialer_id: str
    tm_create: datetime
    position: int | None = 0
    executions: int = 0
    loops: dict[str, int] = field(default_factory=dict)
    history: list[Step] = field(default_factory=list)
    wake_at: datetime | None = None
    queue_id: UUID | None = None
    queuecall_id: UUID | None = None
    agent_id: UUID | None = None
    agent_legs: tuple[UUID, ...] = ()
    given_variables: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0
    tm_update: datetime | None = None
    tm_end: datetime | None = None

    @property
    def is_ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.tm_end is not None

    @property
    def has_call(self) -> bool:
        """Whether there is somebody to hear it."""
        return self.reference_type is ReferenceType.CALL

    @property
    def current(self) -> Action | None:
        """The action being executed."""
        return None if self.is_ended or self.position is None else self.actions[self.position]

    @property
    def play_id(self) -> str:
        """Names the current execution's play: the same after a take-over, another in each round."""
        return f"step-{self.executions}"

    def end(self, now: datetime) -> None:
        """Stop here. Ending twice changes nothing."""
        if self.tm_end is None:
            self.tm_end = now
            self.position = None
            self.wake_at = None
            self.agent_legs = ()

    def fail_step(self, detail: str) -> None:
        """The action begun last could not be carried out after all."""
        if self.history:
            self.history[-1] = replace(self.history[-1], outcome=StepOutcome.FAILED, detail=detail)

    def changed(self, now: datetime) -> None:
        """Count a change that others may see."""
        self.revision += 1
        self.tm_update = now

    def stored(self) -> Activeflow:
        """As it goes into the table and into events."""
        return Activeflow(
            id=self.id,
            customer_id=self.customer_id,
            campaign_id=self.campaign_id,
            flow_id=self.flow_id,
            reference_type=self.reference_type,
            reference_id=self.reference_id,
            is_ended=self.is_ended,
            actions=self.actions,
            cursor=Cursor(
                position=self.position,
                executions=self.executions,
                loops=dict(self.loops),
                wake_at=self.wake_at,
                queuecall_id=self.queuecall_id,
                queue_id=self.queue_id,
                agent_id=self.agent_id,
                agent_legs=self.agent_legs,
            ),
            history=tuple(self.history),
            variables=dict(self.variables),
            given_variables=self.given_variables,
            dialer_id=self.dialer_id,
            revision=self.revision,
            tm_create=self.tm_create,
            tm_update=self.tm_update or self.tm_create,
            tm_end=self.tm_end,
        )


def restore(row: Activeflow, dialer_id: str) -> FlowRun:
    """The execution that `row` stores, to be gone on with by `dialer_id`."""
    cursor = row.cursor
    return FlowRun(
        id=row.id,
        customer_id=row.customer_id,
        campaign_id=row.campaign_id,
        flow_id=row.flow_id,
        reference_type=row.reference_type,
        reference_id=row.reference_id,
        actions=row.actions,
        variables=dict(row.variables),
        given_variables=row.given_variables,
        dialer_id=dialer_id,
        tm_create=row.tm_create,
        position=cursor.position,
        executions=cursor.executions,
        loops=_ints(cursor.loops),
        history=list(row.history),
        wake_at=cursor.wake_at,
        queue_id=cursor.queue_id,
        queuecall_id=cursor.queuecall_id,
        agent_id=cursor.agent_id,
        agent_legs=cursor.agent_legs,
        revision=row.revision,
        tm_update=row.tm_update,
        tm_end=row.tm_end,
    )


def _ints(loops: Mapping[str, int]) -> dict[str, int]:
    return {key: int(value) for key, value in loops.items()}
