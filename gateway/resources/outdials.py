"""Outdials, the lists of people to reach: `/outdials`."""

from __future__ import annotations

from outbound.outdial.v1 import outdial_service_pb2 as pb

from gateway.documents import DATA
from gateway.fields import NAME_LENGTH, REFERENCE, Body, Field, text
from gateway.members import ID, TEXT, TIME, Member, Shape
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

TAG = "outdials"

OUTDIAL = Shape(
    "Outdial",
    "A list of people to reach.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member("campaign_id", ID, "Campaign that may dial it; nil when free."),
        Member("name", TEXT),
        Member("detail", TEXT),
        Member("data", TEXT, "Free text."),
        Member("tm_create", TIME),
        Member("tm_update", TIME),
        Member("tm_delete", TIME),
    ],
)

_NAME = Field("name", text(NAME_LENGTH), "Name.")
_DETAIL = Field("detail", text(), "Description.")
_DATA = Field("data", DATA, "Free data.")
_CAMPAIGN = Field("campaign_id", REFERENCE, "Campaign that may dial it; none releases it.")
_WHOLE = Body("Outdial", _NAME, _DETAIL, _DATA, _CAMPAIGN)
_MEMBERS = ("name", "detail", "data", "campaign_id")


def _create(call: Call) -> pb.CreateOutdialRequest:
    return pb.CreateOutdialRequest(id=call.new_id(), **present_members(call, *_MEMBERS))


def _update(call: Call) -> pb.UpdateOutdialRequest:
    return pb.UpdateOutdialRequest(id=call.ids["id"], **present_members(call, *_MEMBERS))


def _bind(call: Call) -> pb.UpdateOutdialRequest:
    # Documented for this route alone: leaving the member out releases the outdial.
    return pb.UpdateOutdialRequest(id=call.ids["id"], campaign_id=call.body.get("campaign_id", ""))


_PUT = rpc("outdial", "UpdateOutdial", _update)

ROUTES = (
    listing(
        TAG,
        "/outdials",
        "List outdials",
        rpc("outdial", "ListOutdials", page_of(pb.ListOutdialsRequest)),
        OUTDIAL,
        "outdials",
    ),
    Route(
        "POST",
        "/outdials",
        "Create an outdial",
        TAG,
        rpc("outdial", "CreateOutdial", _create),
        One(OUTDIAL),
        body=_WHOLE,
        creates=True,
    ),
    reading(
        TAG,
        "/outdials/{id}",
        "Get an outdial",
        rpc("outdial", "GetOutdial", by_id(pb.GetOutdialRequest)),
        OUTDIAL,
    ),
    Route(
        "PUT",
        "/outdials/{id}",
        "Change an outdial",
        TAG,
        _PUT,
        One(OUTDIAL),
        body=_WHOLE,
        about="A merge: members that are absent or null stay as they are.",
    ),
    Route(
        "PUT",
        "/outdials/{id}/campaign_id",
        "Bind an outdial to a campaign, or release it",
        TAG,
        rpc("outdial", "UpdateOutdial", _bind),
        One(OUTDIAL),
        body=Body("OutdialCampaign", _CAMPAIGN),
        about="An empty, nil or absent id releases it.",
    ),
    Route(
        "PUT",
        "/outdials/{id}/data",
        "Replace an outdial's data",
        TAG,
        _PUT,
        One(OUTDIAL),
        body=Body("OutdialData", Field("data", DATA, "Free data.", required=True)),
    ),
    deleting(
        TAG,
        "/outdials/{id}",
        "Delete an outdial",
        rpc("outdial", "DeleteOutdial", by_id(pb.DeleteOutdialRequest)),
        OUTDIAL,
    ),
)
