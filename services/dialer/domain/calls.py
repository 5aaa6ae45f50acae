"""Answered calls and activeflows, as they are stored, listed and published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.common.action_kinds import SYSTEM_PREFIX
from services.common.actions import Action
from services.common.address import Address
from services.common.texts import storable
from services.dialer.domain.cursors import Cursor


class CallStatus(StrEnum):
    """Documented words. Calls exist from their answer, so `progressing` is the first of a stored one."""

    DIALING = "dialing"
    PROGRESSING = "progressing"
    TERMINATING = "terminating"
    CANCELING = "canceling"
    HANGUP = "hangup"


@dataclass(frozen=True, slots=True)
class Call:
    """An answered call leg. Domain times."""

    id: UUID
    customer_id: UUID
    campaign_id: UUID | None
    activeflow_id: UUID | None
    status: CallStatus
    source: Address | None
    destination: Address
    hangup_reason: str
    hangup_by: str
    queuecall_id: UUID | None
    agent_id: UUID | None
    dialer_id: str
    revision: int
    tm_create: datetime
    tm_progressing: datetime | None
    tm_hangup: datetime | None
    tm_update: datetime

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.status is CallStatus.HANGUP


MAX_DETAIL = 500
"""Longest detail of a step, in characters."""


class StepOutcome(StrEnum):
    """What became of one action."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of an activeflow's history; `execution` is the number of the action begun, from 1."""

    action_id: UUID | None
    type: str
    outcome: StepOutcome
    detail: str
    tm: datetime
    execution: int = 0


class ReferenceType(StrEnum):
    """What an activeflow runs on."""

    CALL = "call"
    API = "api"


@dataclass(frozen=True, slots=True)
class Activeflow:
    """One execution of actions, as stored."""

    id: UUID
    customer_id: UUID
    campaign_id: UUID | None
    flow_id: UUID | None
    reference_type: ReferenceType
    reference_id: UUID | None
    is_ended: bool
    actions: tuple[Action, ...]
    cursor: Cursor
    history: tuple[Step, ...]
    variables: Mapping[str, str]
    dialer_id: str
    revision: int
    tm_create: datetime
    tm_update: datetime
    tm_end: datetime | None = None
    tm_delete: datetime | None = None
    given_variables: Mapping[str, str] = field(default_factory=dict)
    """Those its creator gave, unchanged; `variables` is how they stand now."""
    create_digest: str = ""
    """Of the request that made it; empty when none did."""
    on_complete_flow_id: UUID | None = None  # starts when it has ended
    reference_activeflow_id: UUID | None = None  # whose end has started it

    @property
    def current(self) -> Action | None:
        """The action being executed; None at the end, where a flow without actions begins."""
        frames = self.cursor.frames
        actions = frames[-1].actions if frames else self.actions
        position = frames[-1].position if frames else self.cursor.position
        if self.is_ended or position is None or position >= len(actions):
            return None
        return actions[position]

    def unstorable(self, detail: str, now: datetime) -> Activeflow:
        """What is kept in its place when it cannot be stored: that it has failed, and why."""
        words = storable(f"the execution cannot be stored: {detail}", MAX_DETAIL)
        last = self.history[-1] if self.history else Step(None, "", StepOutcome.FAILED, "", now)
        return replace(
            self,
            is_ended=True,
            actions=(),
            cursor=Cursor(position=None),
            history=(replace(last, outcome=StepOutcome.FAILED, detail=words),),
            variables={},
            given_variables={},
            revision=self.revision + 1,
            tm_update=now,
            tm_end=now,
        )


@dataclass(frozen=True, slots=True)
class FlowDefinition:
    """A flow as it is to be executed, and the one that starts at its end."""

    actions: tuple[Action, ...]
    on_complete_flow_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CallFact:
    """An event of the resource `call`: progressing, updated or hangup."""

    event: str
    call: Call


@dataclass(frozen=True, slots=True)
class ActiveflowFact:
    """An event of the resource `activeflow`: created, updated or deleted."""

    event: str
    activeflow: Activeflow


@dataclass(frozen=True, slots=True)
class DialerEntry:
    """A dialer process that can be asked; `address` is host:port of its gRPC server."""

    dialer_id: str
    address: str


def visible_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables a user sees: those that are not the system's."""
    return {
        name: value
        for name, value in variables.items()
        if not name.lower().startswith(SYSTEM_PREFIX)
    }
