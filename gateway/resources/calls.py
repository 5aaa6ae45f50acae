"""Calls, the answered call legs: `/calls`. Any dialer answers for every call."""

from __future__ import annotations

from outbound.dialer.v1 import dialer_service_pb2 as pb

from gateway.members import ADDRESS, ID, TEXT, TIME, Member, Shape
from gateway.resources.common import by_id, listing, page_of, reading, rpc
from gateway.routes import One, Route

TAG = "calls"

CALL = Shape(
    "Call",
    "An answered call leg. An attempt nobody answered has no call, see its campaigncall.",
    [
        Member("id", ID, "The customer leg's equals its campaigncall's."),
        Member("customer_id", ID),
        Member("campaign_id", ID),
        Member("campaigncall_id", ID),
        Member("activeflow_id", ID),
        Member("source", ADDRESS.optional()),
        Member("destination", ADDRESS.optional()),
        Member("status", TEXT, "dialing, ringing, progressing, terminating, canceling, hangup."),
        Member("direction", TEXT, "Always outgoing."),
        Member("hangup_by", TEXT, "remote, local or empty."),
        Member("hangup_reason", TEXT, "Empty until ended."),
        Member("queuecall_id", ID),
        Member("agent_id", ID),
        Member("tm_create", TIME),
        Member("tm_progressing", TIME, "Answer."),
        Member("tm_hangup", TIME, "End."),
        Member("tm_update", TIME),
    ],
)

ROUTES = (
    listing(
        TAG,
        "/calls",
        "List calls",
        rpc("dialer", "ListCalls", page_of(pb.ListCallsRequest)),
        CALL,
        "calls",
    ),
    reading(
        TAG,
        "/calls/{id}",
        "Get a call",
        rpc("dialer", "GetCall", by_id(pb.GetCallRequest)),
        CALL,
    ),
    Route(
        "POST",
        "/calls/{id}/hangup",
        "Hang a call up",
        TAG,
        rpc("dialer", "HangupCall", by_id(pb.HangupCallRequest)),
        One(CALL),
        about="Cancels an attempt that still rings. Hanging up an ended call changes nothing.",
    ),
)
