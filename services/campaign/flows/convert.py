"""Flows as protobuf messages, both ways."""

from __future__ import annotations

from outbound.flow.v1 import flow_service_pb2 as flow_pb

from services.campaign.flows.domain import Flow, FlowChange, FlowDraft
from services.common.convert import action_to_proto, actions_from_proto, digest, timestamp_to_proto
from services.common.ids import optional_id, text

FLOW_TYPE = "flow"


def flow_to_proto(flow: Flow) -> flow_pb.Flow:
    """The message."""
    return flow_pb.Flow(
        id=str(flow.id),
        customer_id=str(flow.customer_id),
        type=FLOW_TYPE,
        name=flow.name,
        detail=flow.detail,
        actions=map(action_to_proto, flow.actions),
        on_complete_flow_id=text(flow.on_complete_flow_id),
        revision=flow.revision,
        tm_create=timestamp_to_proto(flow.tm_create),
        tm_update=timestamp_to_proto(flow.tm_update),
        tm_delete=timestamp_to_proto(flow.tm_delete),
    )


def draft_from_proto(request: flow_pb.CreateFlowRequest) -> FlowDraft:
    """What the request says."""
    return FlowDraft(
        id=optional_id(request.id, "id"),
        digest=digest(request),
        name=request.name,
        detail=request.detail,
        actions=actions_from_proto(request.actions),
        on_complete_flow_id=optional_id(request.on_complete_flow_id, "on_complete_flow_id"),
    )


def change_from_proto(request: flow_pb.UpdateFlowRequest) -> FlowChange:
    """What the request sets."""
    has = request.HasField
    return FlowChange(
        name=request.name if has("name") else None,
        detail=request.detail if has("detail") else None,
        actions=actions_from_proto(request.actions.actions) if has("actions") else None,
        sets_on_complete=has("on_complete_flow_id"),
        on_complete_flow_id=optional_id(request.on_complete_flow_id, "on_complete_flow_id"),
    )
