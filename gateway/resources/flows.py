"""Flows, the definitions of what happens to answered attempts: `/flows`."""

from __future__ import annotations

from typing import Any

from outbound.common.v1 import action_pb2 as action_pb
from outbound.flow.v1 import flow_service_pb2 as pb

from gateway.documents import ACTION_LIST
from gateway.fields import NAME_LENGTH, REFERENCE, Body, Field, text
from gateway.members import ACTION, ID, TEXT, TIME, Member, Shape
from gateway.resources.common import by_id, page_of, present_members
from gateway.resources.direct import DIRECT_HASH, renewal, with_hash, with_hashes
from gateway.routes import PAGE, Call, One, PageOf, Route

TAG = "flows"

FLOW = Shape(
    "Flow",
    "A list of actions executed for an answered attempt.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member("type", TEXT, "Always flow."),
        Member("name", TEXT),
        Member("detail", TEXT),
        Member("actions", ACTION.list()),
        Member(
            "on_complete_flow_id",
            ID,
            "Flow to be started when this one ends; kept, nothing starts it yet.",
        ),
        DIRECT_HASH,
        Member("tm_create", TIME),
        Member("tm_update", TIME),
        Member("tm_delete", TIME),
    ],
)

_BODY = Body(
    "Flow",
    Field("name", text(NAME_LENGTH), "Name."),
    Field("detail", text(), "Description."),
    Field("actions", ACTION_LIST, "The actions, at most 100."),
    Field(
        "on_complete_flow_id",
        REFERENCE,
        "Flow to be started when this one ends; kept, nothing starts it yet.",
    ),
)
_MEMBERS = ("name", "detail", "on_complete_flow_id")


def _create(call: Call) -> pb.CreateFlowRequest:
    return pb.CreateFlowRequest(id=call.new_id(), **present_members(call, *_MEMBERS, "actions"))


def _update(call: Call) -> pb.UpdateFlowRequest:
    given: dict[str, Any] = present_members(call, *_MEMBERS)
    if "actions" in call.body:
        given["actions"] = action_pb.ActionList(actions=call.body["actions"])
    return pb.UpdateFlowRequest(id=call.ids["id"], **given)


_GET = with_hash("flow", "GetFlow", by_id(pb.GetFlowRequest))

ROUTES = (
    Route(
        "GET",
        "/flows",
        "List flows",
        TAG,
        with_hashes("flow", "ListFlows", page_of(pb.ListFlowsRequest), "flows"),
        PageOf(FLOW, "items"),
        query=PAGE,
    ),
    Route(
        "POST",
        "/flows",
        "Create a flow",
        TAG,
        with_hash("flow", "CreateFlow", _create),
        One(FLOW),
        body=_BODY,
        creates=True,
    ),
    Route("GET", "/flows/{id}", "Get a flow", TAG, _GET, One(FLOW)),
    Route(
        "PUT",
        "/flows/{id}",
        "Change a flow",
        TAG,
        with_hash("flow", "UpdateFlow", _update),
        One(FLOW),
        body=_BODY,
        about="A merge; it takes effect for attempts made afterwards.",
    ),
    Route(
        "DELETE",
        "/flows/{id}",
        "Delete a flow",
        TAG,
        with_hash("flow", "DeleteFlow", by_id(pb.DeleteFlowRequest)),
        One(FLOW),
    ),
    renewal(TAG, "/flows/{id}", "flow", _GET, FLOW),
)
