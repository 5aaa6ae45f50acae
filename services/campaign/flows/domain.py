"""Flows: what happens to an answered attempt. Pure rules; the dialer executes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.common import ownership
from services.common.actions import Action, validate_actions
from services.common.errors import FailedPrecondition, invalid
from services.common.texts import check_texts

FLOW_NOT_FOUND = "FLOW_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Flow:
    """A list of actions. `on_complete_flow_id` starts when this one ends."""

    id: UUID
    customer_id: UUID
    name: str
    detail: str
    actions: tuple[Action, ...]
    on_complete_flow_id: UUID | None
    revision: int
    tm_create: datetime
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


@dataclass(frozen=True, slots=True)
class FlowDraft:
    """What a create request says."""

    id: UUID | None
    digest: str
    name: str
    detail: str
    actions: tuple[Action, ...]
    on_complete_flow_id: UUID | None


@dataclass(frozen=True, slots=True)
class FlowChange:
    """What an update request says; None leaves a member, `sets_on_complete` tells about the last."""

    name: str | None = None
    detail: str | None = None
    actions: tuple[Action, ...] | None = None
    sets_on_complete: bool = False
    on_complete_flow_id: UUID | None = None


def create(draft: FlowDraft, flow_id: UUID, customer_id: UUID, now: datetime) -> Flow:
    """The flow asked for; InvalidArgument names a bad member or action."""
    check_texts(name=draft.name, detail=draft.detail)
    return Flow(
        id=flow_id,
        customer_id=customer_id,
        name=draft.name,
        detail=draft.detail,
        actions=tuple(validate_actions(draft.actions)),
        on_complete_flow_id=_another(draft.on_complete_flow_id, flow_id),
        revision=1,
        tm_create=now,
    )


def change(flow: Flow, wanted: FlowChange, now: datetime) -> Flow:
    """The flow with the members given set, or the very same flow if that changes nothing."""
    if flow.tm_delete is not None:
        raise FailedPrecondition(f"flow {flow.id} is deleted; create another")
    check_texts(name=wanted.name, detail=wanted.detail)
    actions = flow.actions if wanted.actions is None else tuple(validate_actions(wanted.actions))
    follows = wanted.on_complete_flow_id if wanted.sets_on_complete else flow.on_complete_flow_id
    changed = replace(
        flow,
        name=flow.name if wanted.name is None else wanted.name,
        detail=flow.detail if wanted.detail is None else wanted.detail,
        actions=actions,
        on_complete_flow_id=_another(follows, flow.id),
    )
    if changed == flow:
        return flow
    return replace(changed, revision=flow.revision + 1, tm_update=now)


def owned(flow: Flow | None, flow_id: UUID, customer_id: UUID | None) -> Flow:
    """See ownership.owned."""
    return ownership.owned(flow, "flow", flow_id, customer_id, reason=FLOW_NOT_FOUND)


def _another(follows: UUID | None, flow_id: UUID) -> UUID | None:
    if follows == flow_id:
        raise invalid("on_complete_flow_id", str(follows), "another flow than this one")
    return follows
