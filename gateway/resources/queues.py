"""Queues, the groups of agents who take answered calls: `/queues`."""

from __future__ import annotations

from typing import Any, Final

from outbound.flow.v1 import flow_service_pb2 as flow_pb
from outbound.queue.v1 import queue_service_pb2 as pb

from gateway import idempotency
from gateway.documents import ACTION_LIST, IDENTIFIERS
from gateway.fields import FLAG, NAME_LENGTH, REFERENCE, Body, Field, integer, text
from gateway.members import BOOLEAN, COUNTS, ID, IDS, INTEGER, TEXT, TIME, Member, Shape
from gateway.resources.common import (
    MERGE,
    Build,
    by_id,
    changing,
    creating,
    deleting,
    listing,
    made_of,
    merged,
    page_of,
    reading,
    rpc,
)
from gateway.resources.direct import DIRECT_HASH, hashed, renewal, with_hash, with_hashes
from gateway.routes import Call
from gateway.upstreams import Rpc
from services.common.errors import (
    AppError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from services.common.limits import QUEUE_LIMIT_MS, RING_MS, WRAPUP_MS
from services.common.log import get_logger

TAG = "queues"
_REFUSALS: Final = (InvalidArgument, PermissionDenied, NotFound, FailedPrecondition)
"""After these the queue was certainly not written; after any other failure it may have been."""

QUEUE = Shape(
    "Queue",
    "A group of agents who take answered calls.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member("name", TEXT),
        Member("detail", TEXT),
        Member("routing_method", TEXT, "How an agent is picked; empty means longest_idle."),
        Member("tag_ids", IDS, "Agents with one of these serve; empty: every agent."),
        Member(
            "wait_flow_id",
            ID,
            "Flow whose talk, play, beep and sleep are heard while waiting, again and again; nil: music.",
        ),
        Member("wait_timeout", INTEGER, "Milliseconds; 0: none."),
        Member("service_timeout", INTEGER, "Milliseconds; 0: none."),
        Member("wrapup_time", INTEGER, "Milliseconds before an agent is available again."),
        Member("ring_timeout", INTEGER, "Milliseconds an agent's phone rings."),
        Member("recording", BOOLEAN, "Conversations with its agents are recorded."),
        Member("wait_queuecall_ids", IDS),
        Member("service_queuecall_ids", IDS),
        Member("total_incoming_count", INTEGER),
        Member("total_serviced_count", INTEGER),
        Member("total_abandoned_count", INTEGER),
        DIRECT_HASH,
        Member("tm_create", TIME),
        Member("tm_update", TIME),
        Member("tm_delete", TIME),
    ],
)

STANDING = Shape(
    "QueueStats",
    "How a queue stands. Milliseconds are of domain time.",
    [
        Member("queue_id", ID),
        Member("waiting_count", INTEGER, "Callers without an agent now."),
        Member("service_count", INTEGER, "Callers talking to an agent now."),
        Member("longest_waiting_ms", INTEGER, "Of those who wait; 0 when nobody does."),
        Member("average_waiting_ms", INTEGER, "Of all whose wait is over, served or not."),
        Member("total_incoming_count", INTEGER),
        Member("total_serviced_count", INTEGER),
        Member("total_abandoned_count", INTEGER),
        Member("agent_counts", COUNTS, "Agents who serve the queue, by status."),
    ],
)

_METHOD = Field(
    "routing_method",
    text(32),
    "`random`, `longest_idle`, `round_robin`, `ringall` or empty (longest_idle).",
)
_TAGS = Field("tag_ids", IDENTIFIERS, "Agents with one of these tags serve the queue.")
_BODY = Body(
    "Queue",
    Field("name", text(NAME_LENGTH), "Name."),
    Field("detail", text(), "Description."),
    _METHOD,
    _TAGS,
    Field("wait_flow_id", REFERENCE, "Flow played while waiting."),
    Field(
        "wait_actions",
        ACTION_LIST,
        "The older form of wait_flow_id: a flow is made of them.",
    ),
    Field("wait_timeout", integer(*QUEUE_LIMIT_MS, "milliseconds"), "0: none."),
    Field("service_timeout", integer(*QUEUE_LIMIT_MS, "milliseconds"), "0: none."),
    Field("wrapup_time", integer(*WRAPUP_MS, "milliseconds"), "After each conversation."),
    Field("ring_timeout", integer(*RING_MS, "milliseconds"), "Default 20,000."),
    Field("recording", FLAG, "Record conversations with its agents; default false."),
)
_MEMBERS = (
    "name",
    "detail",
    "routing_method",
    "wait_flow_id",
    "wait_timeout",
    "service_timeout",
    "wrapup_time",
    "ring_timeout",
    "recording",
)


async def _wait_flow(call: Call, body: dict[str, Any]) -> str:
    """Make a flow of inline wait actions and put its id into the body; its id, or empty."""
    actions = body.get("wait_actions")
    if not actions or body.get("wait_flow_id"):
        return ""
    request = flow_pb.CreateFlowRequest(
        id=call.new_id("wait_flow"), name="queue wait", actions=actions
    )
    flow = await call.parts.upstreams.call(Rpc("flow", "CreateFlow"), request, call.caller)
    body["wait_flow_id"] = flow.id
    made: str = flow.id
    return made


async def _with_wait_flow(call: Call, rpc_name: str, build: Build) -> Any:
    made = await _wait_flow(call, call.body)
    try:
        queue = await call.parts.upstreams.call(Rpc("queue", rpc_name), build(call), call.caller)
    except _REFUSALS:
        # With an Idempotency-Key the flow may be an earlier request's, whose queue uses it.
        if made and idempotency.key_of(call.request) is None:
            await _forget_wait_flow(call, made)
        raise
    return await hashed(call, queue)


async def _forget_wait_flow(call: Call, flow_id: str) -> None:
    """Delete a flow that nobody knows of yet; the answer is the refusal that led here."""
    request = flow_pb.DeleteFlowRequest(id=flow_id)
    try:
        await call.parts.upstreams.call(Rpc("flow", "DeleteFlow"), request, call.caller)
    except AppError as exc:
        get_logger().warning("wait_flow_left_over", flow=flow_id, error=exc.message)


_NEW = made_of(pb.CreateQueueRequest, *_MEMBERS, "tag_ids")
_MERGED = merged(pb.UpdateQueueRequest, *_MEMBERS, tag_ids=lambda ids: pb.IdList(ids=ids))


async def _create(call: Call) -> Any:
    return await _with_wait_flow(call, "CreateQueue", _NEW)


async def _update(call: Call) -> Any:
    return await _with_wait_flow(call, "UpdateQueue", _MERGED)


_GET = with_hash("queue", "GetQueue", by_id(pb.GetQueueRequest))

ROUTES = (
    listing(
        TAG,
        "/queues",
        "List queues",
        with_hashes("queue", "ListQueues", page_of(pb.ListQueuesRequest), "queues"),
        QUEUE,
        "items",
    ),
    creating(TAG, "/queues", "Create a queue", _create, QUEUE, _BODY),
    reading(TAG, "/queues/{id}", "Get a queue", _GET, QUEUE),
    changing(TAG, "/queues/{id}", "Change a queue", _update, QUEUE, _BODY, about=MERGE),
    reading(
        TAG,
        "/queues/{id}/stats",
        "See how a queue stands",
        rpc("queue", "GetQueueStats", by_id(pb.GetQueueStatsRequest)),
        STANDING,
    ),
    deleting(
        TAG,
        "/queues/{id}",
        "Delete a queue",
        with_hash("queue", "DeleteQueue", by_id(pb.DeleteQueueRequest)),
        QUEUE,
    ),
    changing(
        TAG,
        "/queues/{id}/tag_ids",
        "Replace a queue's tags",
        _update,
        QUEUE,
        Body("QueueTags", _TAGS.needed()),
    ),
    changing(
        TAG,
        "/queues/{id}/routing_method",
        "Set how a queue picks agents",
        _update,
        QUEUE,
        Body("QueueRoutingMethod", _METHOD.needed()),
    ),
    renewal(TAG, "/queues/{id}", "queue", _GET, QUEUE),
)
