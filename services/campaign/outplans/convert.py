"""Outplans as protobuf messages, both ways."""

from __future__ import annotations

from outbound.outplan.v1 import outplan_service_pb2 as outplan_pb

from services.campaign.convert import source_from_proto
from services.campaign.outplans.domain import Outplan, OutplanChange, OutplanDraft
from services.common.convert import address_to_proto, digest, timestamp_to_proto
from services.common.ids import optional_id
from services.common.limits import SLOTS


def outplan_to_proto(plan: Outplan) -> outplan_pb.Outplan:
    """The message."""
    return outplan_pb.Outplan(
        id=str(plan.id),
        customer_id=str(plan.customer_id),
        name=plan.name,
        detail=plan.detail,
        source=address_to_proto(plan.source),
        dial_timeout=plan.dial_timeout,
        try_interval=plan.try_interval,
        max_try_counts=plan.max_try_counts,
        calls_per_second=plan.calls_per_second,
        max_concurrent=plan.max_concurrent,
        revision=plan.revision,
        tm_create=timestamp_to_proto(plan.tm_create),
        tm_update=timestamp_to_proto(plan.tm_update),
        tm_delete=timestamp_to_proto(plan.tm_delete),
        headers=plan.headers,
        variables=plan.variables,
    )


def draft_from_proto(request: outplan_pb.CreateOutplanRequest) -> OutplanDraft:
    """What the request says."""
    has = request.HasField
    return OutplanDraft(
        id=optional_id(request.id, "id"),
        digest=digest(request),
        name=request.name,
        detail=request.detail,
        source=source_from_proto(request.source),
        dial_timeout=request.dial_timeout,
        try_interval=request.try_interval,
        max_try_counts=_maxima(request.max_try_counts),
        calls_per_second=request.calls_per_second if has("calls_per_second") else None,
        max_concurrent=request.max_concurrent if has("max_concurrent") else None,
        headers=dict(request.headers.values),
        variables=dict(request.variables.values),
    )


def change_from_proto(request: outplan_pb.UpdateOutplanRequest) -> OutplanChange:
    """What the request sets."""
    has = request.HasField
    return OutplanChange(
        name=request.name if has("name") else None,
        detail=request.detail if has("detail") else None,
        sets_source=has("source"),
        source=source_from_proto(request.source),
        dial_timeout=request.dial_timeout if has("dial_timeout") else None,
        try_interval=request.try_interval if has("try_interval") else None,
        max_try_counts=_maxima(request.max_try_counts),
        calls_per_second=request.calls_per_second if has("calls_per_second") else None,
        max_concurrent=request.max_concurrent if has("max_concurrent") else None,
        headers=dict(request.headers.values) if has("headers") else None,
        variables=dict(request.variables.values) if has("variables") else None,
    )


def _maxima(message: outplan_pb.MaxTryCounts) -> dict[int, int]:
    """The maxima that are present, by slot."""
    names = ((slot, f"slot_{slot}") for slot in range(SLOTS))
    return {slot: getattr(message, name) for slot, name in names if message.HasField(name)}
