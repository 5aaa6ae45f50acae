"""Campaigncalls, the dial attempts: `/campaigncalls`."""

from __future__ import annotations

import asyncio
from typing import Any

from outbound.campaign.v1 import campaign_service_pb2 as pb

from gateway.fields import REFERENCE, Field
from gateway.members import (
    ADDRESS,
    BOOLEAN,
    ID,
    INTEGER,
    OPTIONAL_INTEGER,
    TEXT,
    TEXTS,
    TIME,
    Member,
    Shape,
    words,
)
from gateway.resources.common import by_id, deleting, listing, page_of, reading, rpc
from gateway.routes import Call
from gateway.stats import read_campaign
from gateway.upstreams import Rpc

TAG = "campaigncalls"
_C = pb.Campaigncall

CAMPAIGNCALL = Shape(
    "Campaigncall",
    "One attempt to reach one target on one of its addresses.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member("campaign_id", ID),
        Member("outplan_id", ID),
        Member("outdial_id", ID),
        Member("outdial_target_id", ID),
        Member("queue_id", ID),
        Member("activeflow_id", ID, "Exists once answered."),
        Member("flow_id", ID),
        Member(
            "reference_type",
            words(
                {
                    number: name.removeprefix("REFERENCE_TYPE_").lower()
                    for name, number in _C.ReferenceType.items()
                    if number
                }
                | {_C.REFERENCE_TYPE_UNSPECIFIED: "none"}
            ),
            "What reference_id names.",
        ),
        Member("reference_id", ID, "The call, once there is one."),
        Member(
            "status",
            words(
                {
                    _C.STATUS_DIALING: "dialing",
                    _C.STATUS_PROGRESSING: "progressing",
                    _C.STATUS_DONE: "done",
                }
            ),
        ),
        Member(
            "result",
            words(
                {
                    _C.RESULT_UNSPECIFIED: "",
                    _C.RESULT_SUCCESS: "success",
                    _C.RESULT_FAIL: "fail",
                }
            ),
            "Empty until status is done.",
        ),
        Member("source", ADDRESS.optional()),
        Member("destination", ADDRESS.optional()),
        Member("destination_index", INTEGER, "Slot of the target, 0..4."),
        Member("try_count", INTEGER, "Number of the try on the slot, from 1."),
        Member("hangup_reason", TEXT, "normal, busy, noanswer, ...; empty until done."),
        Member("hangup_detail", TEXT, "Finer cause, for example invalid or lost."),
        Member("is_refunded", BOOLEAN, "The try was given back."),
        Member(
            "is_abandoned",
            BOOLEAN,
            "A person wanted an agent and none was there within the campaign's agent_wait_limit, or "
            "until the end.",
        ),
        Member("is_machine", BOOLEAN, "A machine answered, as far as is known."),
        Member(
            "answer_to_agent",
            OPTIONAL_INTEGER,
            "Milliseconds the person waited for the agent, measured as agent_wait_limit; null: none "
            "came.",
        ),
        Member(
            "variables",
            TEXTS,
            "Variables that its flow has set, at most 32 KiB in all; empty until done.",
        ),
        Member(
            "digits",
            TEXT,
            "Keys that its flow asked for last, or else those pressed that it never asked for; "
            "empty until done.",
        ),
        Member("run_number", INTEGER),
        Member("tm_create", TIME),
        Member("tm_answer", TIME),
        Member("tm_connect", TIME, "An agent joined."),
        Member("tm_abandon", TIME, "The limit was over, or the person left before."),
        Member("tm_end", TIME),
        Member("tm_update", TIME),
        Member("tm_delete", TIME),
    ],
)


async def _list_of_campaign(call: Call) -> Any:
    """The page, refused when the campaign is unknown or another customer's."""
    upstreams, identity = call.parts.upstreams, call.caller
    request = pb.ListCampaigncallsRequest(
        page_size=call.query.get("page_size", 0),
        page_token=call.query.get("page_token", ""),
        campaign_id=call.ids["id"],
    )
    _, page = await asyncio.gather(
        read_campaign(upstreams, identity, call.ids["id"]),
        upstreams.call(Rpc("campaign", "ListCampaigncalls"), request, identity),
    )
    return page


ROUTES = (
    listing(
        TAG,
        "/campaigncalls",
        "List attempts",
        rpc(
            "campaign",
            "ListCampaigncalls",
            page_of(pb.ListCampaigncallsRequest, campaign_id="campaign_id"),
        ),
        CAMPAIGNCALL,
        "campaigncalls",
        Field("campaign_id", REFERENCE, "Only the attempts of this campaign."),
    ),
    reading(
        TAG,
        "/campaigncalls/{id}",
        "Get an attempt",
        rpc("campaign", "GetCampaigncall", by_id(pb.GetCampaigncallRequest)),
        CAMPAIGNCALL,
    ),
    deleting(
        TAG,
        "/campaigncalls/{id}",
        "Delete an attempt that is done",
        rpc("campaign", "DeleteCampaigncall", by_id(pb.DeleteCampaigncallRequest)),
        CAMPAIGNCALL,
    ),
    listing(
        TAG,
        "/campaigns/{id}/campaigncalls",
        "List the attempts of a campaign",
        _list_of_campaign,
        CAMPAIGNCALL,
        "campaigncalls",
    ),
)
