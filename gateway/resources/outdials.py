"""Outdials, the lists of people to reach: `/outdials`."""

from __future__ import annotations

from outbound.outdial.v1 import outdial_service_pb2 as pb

from gateway.documents import DATA
from gateway.fields import NAME_LENGTH, REFERENCE, Body, Field, text
from gateway.members import ID, TEXT, TIME, Member, Shape
from gateway.resources.common import (
    MERGE,
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
from gateway.routes import Call

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


def _bind(call: Call) -> pb.UpdateOutdialRequest:
    # Documented for this route alone: leaving the member out releases the outdial.
    return pb.UpdateOutdialRequest(id=call.ids["id"], campaign_id=call.body.get("campaign_id", ""))


_PUT = rpc("outdial", "UpdateOutdial", merged(pb.UpdateOutdialRequest, *_MEMBERS))
_ONE = "/outdials/{id}"

ROUTES = (
    listing(
        TAG,
        "/outdials",
        "List outdials",
        rpc("outdial", "ListOutdials", page_of(pb.ListOutdialsRequest)),
        OUTDIAL,
        "outdials",
    ),
    creating(
        TAG,
        "/outdials",
        "Create an outdial",
        rpc("outdial", "CreateOutdial", made_of(pb.CreateOutdialRequest, *_MEMBERS)),
        OUTDIAL,
        _WHOLE,
    ),
    reading(
        TAG,
        _ONE,
        "Get an outdial",
        rpc("outdial", "GetOutdial", by_id(pb.GetOutdialRequest)),
        OUTDIAL,
    ),
    changing(TAG, _ONE, "Change an outdial", _PUT, OUTDIAL, _WHOLE, about=MERGE),
    changing(
        TAG,
        f"{_ONE}/campaign_id",
        "Bind an outdial to a campaign, or release it",
        rpc("outdial", "UpdateOutdial", _bind),
        OUTDIAL,
        Body("OutdialCampaign", _CAMPAIGN),
        about="An empty, nil or absent id releases it.",
    ),
    changing(
        TAG,
        f"{_ONE}/data",
        "Replace an outdial's data",
        _PUT,
        OUTDIAL,
        Body("OutdialData", _DATA.needed()),
    ),
    deleting(
        TAG,
        _ONE,
        "Delete an outdial",
        rpc("outdial", "DeleteOutdial", by_id(pb.DeleteOutdialRequest)),
        OUTDIAL,
    ),
)
