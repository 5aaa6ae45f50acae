"""Activeflows, the executions of flows: `/activeflows`."""

from __future__ import annotations

from outbound.dialer.v1 import dialer_service_pb2 as pb

from gateway.documents import ACTION_LIST
from gateway.fields import REFERENCE, Body, Field, text_map
from gateway.members import (
    ACTION,
    ID,
    NIL_TEXT,
    TEXT,
    TEXTS,
    TIME,
    Member,
    Shape,
    constant,
    text_of,
)
from gateway.resources.common import (
    by_id,
    deleting,
    listing,
    page_of,
    present_members,
    reading,
    rpc,
)
from gateway.routes import Call, One, Route

TAG = "activeflows"
_NO_ID = constant(NIL_TEXT, ID.schema)
_NO_TEXT = constant("", TEXT.schema)

STEP = Shape(
    "ExecutedAction",
    "An action that was executed, or skipped because there is no call.",
    [
        Member("action_id", ID),
        Member("type", TEXT),
        Member("outcome", text_of("done", "skipped", "failed")),
        Member("detail", TEXT, "Why it was skipped or failed, or what came of it."),
        Member("tm", TIME),
    ],
)
ACTIVEFLOW = Shape(
    "Activeflow",
    "One execution of actions.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member("flow_id", ID, "Nil with inline actions."),
        Member("status", text_of("", "running", "ended")),
        Member("reference_type", TEXT, "call, or api when started by a request."),
        Member("reference_id", ID, "The call."),
        Member("reference_activeflow_id", ID, "The one whose end has started this; nil when none."),
        Member("on_complete_flow_id", ID, "Flow that starts at its end; nil when none."),
        Member("webhook_uri", _NO_TEXT),
        Member("webhook_method", _NO_TEXT),
        Member("campaign_id", ID),
        Member("actions", ACTION.list()),
        Member("current_action", ACTION.optional(), "null when ended."),
        Member("forward_action_id", _NO_ID),
        Member("executed_actions", STEP.list()),
        Member("variables", TEXTS, "Without those starting with voipbin."),
        Member("tm_create", TIME),
        Member("tm_update", TIME),
        Member("tm_end", TIME),
        Member("tm_delete", TIME),
    ],
)

_CREATE = Body(
    "ActiveflowCreate",
    Field("id", REFERENCE, "Id to use; none lets the server choose."),
    Field("flow_id", REFERENCE, "Flow to run."),
    Field("actions", ACTION_LIST, "Actions to run when no flow is named."),
    Field(
        "variables",
        text_map(100, 32_768),
        "Values of at most 32,768 bytes, 65,536 bytes in all; names starting with voipbin. are dropped.",
    ),
)


def _create(call: Call) -> pb.CreateActiveflowRequest:
    given = present_members(call, "flow_id", "actions", "variables")
    return pb.CreateActiveflowRequest(id=call.body.get("id") or call.new_id(), **given)


ROUTES = (
    listing(
        TAG,
        "/activeflows",
        "List activeflows",
        rpc("dialer", "ListActiveflows", page_of(pb.ListActiveflowsRequest)),
        ACTIVEFLOW,
        "activeflows",
    ),
    Route(
        "POST",
        "/activeflows",
        "Run a flow or actions without a call",
        TAG,
        rpc("dialer", "CreateActiveflow", _create),
        One(ACTIVEFLOW),
        body=_CREATE,
        creates=True,
        about="Answered when everything that takes no time is done: status running means that it "
        "waits for a fetch or a webhook.",
    ),
    reading(
        TAG,
        "/activeflows/{id}",
        "Get an activeflow",
        rpc("dialer", "GetActiveflow", by_id(pb.GetActiveflowRequest)),
        ACTIVEFLOW,
    ),
    Route(
        "POST",
        "/activeflows/{id}/stop",
        "Stop an activeflow",
        TAG,
        rpc("dialer", "StopActiveflow", by_id(pb.StopActiveflowRequest)),
        One(ACTIVEFLOW),
    ),
    deleting(
        TAG,
        "/activeflows/{id}",
        "Stop and delete an activeflow",
        rpc("dialer", "DeleteActiveflow", by_id(pb.DeleteActiveflowRequest)),
        ACTIVEFLOW,
    ),
)
