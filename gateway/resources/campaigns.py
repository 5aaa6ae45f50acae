"""Campaigns: `/campaigns` and its sub-resources."""

from __future__ import annotations

from typing import Any, Final

from outbound.campaign.v1 import campaign_service_pb2 as pb
from outbound.common.v1 import action_pb2 as action_pb

from gateway.documents import ACTION_LIST, ADDRESS
from gateway.fields import NAME_LENGTH, REFERENCE, Body, Field, integer, text, words
from gateway.members import ACTION, ID, INTEGER, TEXT, TIME, Member, Shape
from gateway.members import ADDRESS as ADDRESS_SHAPE
from gateway.members import words as word_of
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
from gateway.stats import STATE, STATUS, STOP_REASON
from services.common.limits import SERVICE_LEVEL

TAG = "campaigns"
_C = pb.Campaign

TYPES: Final = {
    "call": _C.TYPE_CALL,
    "flow": _C.TYPE_FLOW,
    "message": _C.TYPE_MESSAGE,
    "email": _C.TYPE_EMAIL,
    "sms": _C.TYPE_MESSAGE,
}
END_HANDLES: Final = {"stop": _C.END_HANDLE_STOP, "continue": _C.END_HANDLE_CONTINUE}
STATUSES: Final = {
    "run": _C.STATUS_RUN,
    "running": _C.STATUS_RUN,
    "start": _C.STATUS_RUN,
    "stop": _C.STATUS_STOP,
    "stopped": _C.STATUS_STOP,
    "stopping": _C.STATUS_STOP,
}
MODES: Final = {
    "hangup": pb.STOP_MODE_HANGUP,
    "drain": pb.STOP_MODE_DRAIN,
    "cancel": pb.STOP_MODE_DRAIN,
}

CAMPAIGN = Shape(
    "Campaign",
    "Dials the targets of an outdial as its outplan says and connects those who answer.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member(
            "type",
            word_of({number: word for word, number in TYPES.items() if word != "sms"}),
            "What an attempt is.",
        ),
        Member("name", TEXT),
        Member("detail", TEXT),
        Member("status", STATUS, "Documented status."),
        Member("state", STATE, "The same in the prose's words; tells finished from stopped."),
        Member("stop_reason", STOP_REASON, "Why it stands still."),
        Member("stop_detail", TEXT),
        Member("service_level", INTEGER, "Percent, 1..1000."),
        Member(
            "end_handle",
            word_of({number: word for word, number in END_HANDLES.items()}),
            "What happens when no target is left.",
        ),
        Member("actions", ACTION.list(), "As sent, without the appended queue_join."),
        Member("flow_id", ID, "Flow used when there are no actions; nil when none."),
        Member("outplan_id", ID, "Nil when not assigned."),
        Member("outdial_id", ID, "Nil when not assigned."),
        Member("queue_id", ID, "Nil when not assigned."),
        Member("next_campaign_id", ID, "Campaign started when this one finishes; nil when none."),
        Member("source", ADDRESS_SHAPE.optional(), "Caller id that overrides the outplan's."),
        Member("run_number", INTEGER, "Number of the latest run."),
        Member("tm_create", TIME),
        Member("tm_update", TIME),
        Member("tm_delete", TIME),
    ],
)

_NAME = Field("name", text(NAME_LENGTH), "Name.")
_DETAIL = Field("detail", text(), "Description.")
_TYPE = Field("type", words(TYPES), "What an attempt is; default `call`. `sms` means `message`.")
_LEVEL = Field("service_level", integer(*SERVICE_LEVEL, "percent"), "Percent; default 100.")
_END = Field("end_handle", words(END_HANDLES), "What happens at the end; default `stop`.")
_ACTIONS = Field("actions", ACTION_LIST, "Actions run on answer; win over flow_id.")
_SOURCE = Field("source", ADDRESS, "Caller id that overrides the outplan's.")
_STATUS = Field(
    "status", words(STATUSES), "`run`, `running`, `start`; or `stop`, `stopped`, `stopping`."
)
_MODE = Field(
    "mode",
    words(MODES),
    "How to stop: `hangup` (default) ends every call, `drain` lets conversations finish.",
)
_RESOURCES = (
    Field("outplan_id", REFERENCE, "How: the outplan."),
    Field("outdial_id", REFERENCE, "Where: the outdial."),
    Field("queue_id", REFERENCE, "Who: the queue."),
    Field("next_campaign_id", REFERENCE, "Campaign to start when this one finishes."),
)
_REFERENCES = ("flow_id", "outplan_id", "outdial_id", "queue_id", "next_campaign_id")
_MEMBERS = ("name", "detail", "type", "service_level", "end_handle", "source", *_REFERENCES)

_CREATE = Body(
    "CampaignCreate",
    _NAME,
    _DETAIL,
    _TYPE,
    _LEVEL,
    _END,
    _ACTIONS,
    Field("flow_id", REFERENCE, "Flow run on answer when there are no actions."),
    *_RESOURCES,
    _SOURCE,
)
_UPDATE = Body("CampaignUpdate", *_CREATE.fields, _STATUS, _MODE)


def _create(call: Call) -> pb.CreateCampaignRequest:
    return pb.CreateCampaignRequest(id=call.new_id(), **present_members(call, *_MEMBERS, "actions"))


def _update(call: Call) -> pb.UpdateCampaignRequest:
    """Everything that is present in the body, as one merge."""
    given: dict[str, Any] = present_members(call, *_MEMBERS, "status")
    if "actions" in call.body:
        given["actions"] = action_pb.ActionList(actions=call.body["actions"])
    if "mode" in call.body:
        given["stop_mode"] = call.body["mode"]
    return pb.UpdateCampaignRequest(id=call.ids["id"], **given)


def _chain(call: Call) -> pb.UpdateCampaignRequest:
    # Documented for this route alone: leaving the member out unchains.
    return pb.UpdateCampaignRequest(
        id=call.ids["id"], next_campaign_id=call.body.get("next_campaign_id", "")
    )


def _set_status(call: Call) -> pb.SetCampaignStatusRequest:
    return pb.SetCampaignStatusRequest(
        id=call.ids["id"],
        status=call.body["status"],
        stop_mode=call.body.get("mode", pb.STOP_MODE_UNSPECIFIED),
    )


def _required(field: Field) -> Field:
    return Field(field.name, field.kind, field.about, required=True)


_PUT = rpc("campaign", "UpdateCampaign", _update)
_OF_ONE = "/campaigns/{id}"

ROUTES = (
    listing(
        TAG,
        "/campaigns",
        "List campaigns",
        rpc("campaign", "ListCampaigns", page_of(pb.ListCampaignsRequest)),
        CAMPAIGN,
        "campaigns",
    ),
    Route(
        "POST",
        "/campaigns",
        "Create a campaign in status stop",
        TAG,
        rpc("campaign", "CreateCampaign", _create),
        One(CAMPAIGN),
        body=_CREATE,
        creates=True,
        about="Every reference is optional here and must exist when given; starting needs an "
        "outplan and an outdial.",
    ),
    reading(
        TAG,
        _OF_ONE,
        "Get a campaign",
        rpc("campaign", "GetCampaign", by_id(pb.GetCampaignRequest)),
        CAMPAIGN,
    ),
    Route(
        "PUT",
        _OF_ONE,
        "Change a campaign, or start and stop it",
        TAG,
        _PUT,
        One(CAMPAIGN),
        body=_UPDATE,
        about="A merge: members that are absent or null stay as they are. `status` is applied after "
        "the other members, in the same transaction: on refusal nothing has changed.",
    ),
    deleting(
        TAG,
        _OF_ONE,
        "Delete a campaign in status stop",
        rpc("campaign", "DeleteCampaign", by_id(pb.DeleteCampaignRequest)),
        CAMPAIGN,
    ),
    Route(
        "PUT",
        "/campaigns/{id}/status",
        "Start or stop a campaign",
        TAG,
        rpc("campaign", "SetCampaignStatus", _set_status),
        One(CAMPAIGN),
        body=Body("CampaignStatus", _required(_STATUS), _MODE),
    ),
    Route(
        "PUT",
        "/campaigns/{id}/service_level",
        "Set the service level",
        TAG,
        _PUT,
        One(CAMPAIGN),
        body=Body("CampaignServiceLevel", _required(_LEVEL)),
    ),
    Route(
        "PUT",
        "/campaigns/{id}/actions",
        "Replace the actions",
        TAG,
        _PUT,
        One(CAMPAIGN),
        body=Body("CampaignActions", _required(_ACTIONS)),
    ),
    Route(
        "PUT",
        "/campaigns/{id}/resource_info",
        "Assign outplan, outdial, queue and next campaign",
        TAG,
        _PUT,
        One(CAMPAIGN),
        body=Body("CampaignResources", *_RESOURCES),
        about="A merge; an empty text or the nil UUID clears a reference.",
    ),
    Route(
        "PUT",
        "/campaigns/{id}/next_campaign_id",
        "Chain another campaign, or none",
        TAG,
        rpc("campaign", "UpdateCampaign", _chain),
        One(CAMPAIGN),
        body=Body("CampaignNext", _RESOURCES[3]),
        about="An empty, nil or absent id unchains.",
    ),
)
