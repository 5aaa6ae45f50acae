"""Queuecalls, the callers in queues: `/queuecalls`."""

from __future__ import annotations

from outbound.queue.v1 import queue_service_pb2 as pb

from gateway.members import ID, INTEGER, TEXT, TIME, Member, Shape, enum_of
from gateway.resources.common import by_id, deleting, doing, listing, page_of, reading, rpc

TAG = "queuecalls"

QUEUECALL = Shape(
    "Queuecall",
    "One caller's stay in a queue.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member("queue_id", ID),
        Member("campaign_id", ID),
        Member("reference_type", TEXT, "Always call."),
        Member("reference_id", ID, "The call."),
        Member("status", enum_of(pb.Queuecall.Status)),
        Member("service_agent_id", ID, "Agent reserved, ringing or serving; nil when none."),
        Member("duration_waiting", INTEGER, "Milliseconds."),
        Member("duration_service", INTEGER, "Milliseconds."),
        Member("tm_create", TIME),
        Member("tm_service", TIME, "The agent joined."),
        Member("tm_update", TIME),
        Member("tm_end", TIME),
        Member("tm_delete", TIME),
    ],
)

ROUTES = (
    listing(
        TAG,
        "/queuecalls",
        "List queuecalls",
        rpc("queue", "ListQueuecalls", page_of(pb.ListQueuecallsRequest)),
        QUEUECALL,
        "queuecalls",
    ),
    reading(
        TAG,
        "/queuecalls/{id}",
        "Get a queuecall",
        rpc("queue", "GetQueuecall", by_id(pb.GetQueuecallRequest)),
        QUEUECALL,
    ),
    deleting(
        TAG,
        "/queuecalls/{id}",
        "Delete a queuecall that has ended",
        rpc("queue", "DeleteQueuecall", by_id(pb.DeleteQueuecallRequest)),
        QUEUECALL,
    ),
    doing(
        TAG,
        "/queuecalls/{id}/kick",
        "Take a caller out of the queue",
        rpc("queue", "KickQueuecall", by_id(pb.KickQueuecallRequest)),
        QUEUECALL,
    ),
    doing(
        TAG,
        "/queuecalls/reference_id/{id}/kick",
        "Take the caller of this call out of the queue",
        rpc(
            "queue",
            "KickQueuecall",
            lambda call: pb.KickQueuecallRequest(reference_id=call.ids["id"]),
        ),
        QUEUECALL,
    ),
)
