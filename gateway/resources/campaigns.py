"""Campaigns: `/campaigns` and its sub-resources."""

from __future__ import annotations

from typing import Final

from outbound.campaign.v1 import campaign_service_pb2 as pb
from outbound.common.v1 import action_pb2 as action_pb

from gateway.documents import ACTION_LIST, ADDRESS
from gateway.fields import NAME_LENGTH, REFERENCE, Body, Field, integer, text, words
from gateway.members import ACTION, ID, INTEGER, TEXT, TIME, Member, Shape, enum_of, enum_words
from gateway.members import ADDRESS as ADDRESS_SHAPE
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
from gateway.stats import STATE, STATUS, STOP_REASON
from services.common.limits import AGENT_WAIT_MS, SERVICE_LEVEL

TAG = "campaigns"
_C = pb.Campaign

TYPES: Final = {word: number for number, word in enum_words(_C.Type).items()} | {
    "sms": _C.TYPE_MESSAGE
}
END_HANDLES: Final = {word: number for number, word in enum_words(_C.EndHandle).items()}
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
        Member("type", enum_of(_C.Type), "What an attempt is."),
        Member("name", TEXT),
        Member("detail", TEXT),
        Member("status", STATUS, "Documented status."),
        Member("state", STATE, "The same in the prose's words; tells finished from stopped."),
        Member("stop_reason", STOP_REASON, "Why it stands still."),
        Member("stop_detail", TEXT),
        Member("service_level", INTEGER, "Percent, 1..1000."),
        Member("end_handle", enum_of(_C.EndHandle), "What happens when no target is left."),
        Member("actions", ACTION.list(), "As sent, without the appended queue_join."),
        Member("flow_id", ID, "Flow used when there are no actions; nil when none."),
        Member("outplan_id", ID, "Nil when not assigned."),
        Member("outdial_id", ID, "Nil when not assigned."),
        Member("queue_id", ID, "Nil when not assigned."),
        Member("next_campaign_id", ID, "Campaign started when this one finishes; nil when none."),
        Member("source", ADDRESS_SHAPE.optional(), "Caller id that overrides the outplan's."),
        Member(
            "agent_wait_limit",
            INTEGER,
            "Milliseconds a person waits for an agent until the attempt counts as abandoned; 0: no "
            "limit. From the answer if nothing before queue_join took time, else from queue_join.",
        ),
        Member("abandonment_actions", ACTION.list(), "Run then in place of the rest of the flow."),
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
_WAIT_LIMIT = Field(
    "agent_wait_limit",
    integer(*AGENT_WAIT_MS, "milliseconds"),
    "How long a person waits for an agent; default 2,000, 0 sets no limit.",
)
_ABANDONMENT = Field(
    "abandonment_actions",
    ACTION_LIST,
    "Actions run when that is over, in place of the rest of the flow: the person leaves the queue. "
    "Without any the person stays in it.",
)
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
_MEMBERS = (
    "name",
    "detail",
    "type",
    "service_level",
    "end_handle",
    "source",
    "agent_wait_limit",
    *_REFERENCES,
)

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
    _WAIT_LIMIT,
    _ABANDONMENT,
)
_UPDATE = Body("CampaignUpdate", *_CREATE.fields, _STATUS, _MODE)
_NEW = made_of(pb.CreateCampaignRequest, *_MEMBERS, "actions", "abandonment_actions")
_MERGED = merged(
    pb.UpdateCampaignRequest,
    *_MEMBERS,
    "status",
    actions=lambda actions: action_pb.ActionList(actions=actions),
    abandonment_actions=lambda actions: action_pb.ActionList(actions=actions),
)


def _update(call: Call) -> pb.UpdateCampaignRequest:
    request: pb.UpdateCampaignRequest = _MERGED(call)
    if "mode" in call.body:
        request.stop_mode = call.body["mode"]
    return request


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
    creating(
        TAG,
        "/campaigns",
        "Create a campaign in status stop",
        rpc("campaign", "CreateCampaign", _NEW),
        CAMPAIGN,
        _CREATE,
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
    changing(
        TAG,
        _OF_ONE,
        "Change a campaign, or start and stop it",
        _PUT,
        CAMPAIGN,
        _UPDATE,
        about=f"{MERGE} `status` is applied after the other members, in the same transaction: on "
        "refusal nothing has changed.",
    ),
    deleting(
        TAG,
        _OF_ONE,
        "Delete a campaign in status stop",
        rpc("campaign", "DeleteCampaign", by_id(pb.DeleteCampaignRequest)),
        CAMPAIGN,
    ),
    changing(
        TAG,
        "/campaigns/{id}/status",
        "Start or stop a campaign",
        rpc("campaign", "SetCampaignStatus", _set_status),
        CAMPAIGN,
        Body("CampaignStatus", _STATUS.needed(), _MODE),
    ),
    changing(
        TAG,
        "/campaigns/{id}/service_level",
        "Set the service level",
        _PUT,
        CAMPAIGN,
        Body("CampaignServiceLevel", _LEVEL.needed()),
    ),
    changing(
        TAG,
        "/campaigns/{id}/actions",
        "Replace the actions",
        _PUT,
        CAMPAIGN,
        Body("CampaignActions", _ACTIONS.needed()),
    ),
    changing(
        TAG,
        "/campaigns/{id}/resource_info",
        "Assign outplan, outdial, queue and next campaign",
        _PUT,
        CAMPAIGN,
        Body("CampaignResources", *_RESOURCES),
        about="A merge; an empty text or the nil UUID clears a reference.",
    ),
    changing(
        TAG,
        "/campaigns/{id}/next_campaign_id",
        "Chain another campaign, or none",
        rpc("campaign", "UpdateCampaign", _chain),
        CAMPAIGN,
        Body("CampaignNext", _RESOURCES[3]),
        about="An empty, nil or absent id unchains.",
    ),
)
