"""Agents, the people who take calls and log in: `/agents`.

Administrators and managers manage agents; an agent may read itself and change its own name, status
and password. Only an administrator gives permissions, or sets the password of somebody else.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from outbound.agent.v1 import agent_service_pb2 as pb

from gateway.documents import ADDRESS, IDENTIFIERS
from gateway.fields import NAME_LENGTH, REFERENCE, Body, Field, FieldKind, integer, list_of, text
from gateway.fields import words as one_of
from gateway.identity import ANYONE, STAFF, Identity, Permission
from gateway.members import ADDRESS as ADDRESS_SHAPE
from gateway.members import ID, IDS, INTEGER, TEXT, TIME, Member, Shape, text_of
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
)
from gateway.resources.direct import DIRECT_HASH, renewal, with_hash, with_hashes
from gateway.routes import Call, Handler, Route
from services.common.errors import PermissionDenied
from services.common.limits import MAX_ADDRESSES, PASSWORD_LENGTH

TAG = "agents"
_SHORTEST_PASSWORD, _LONGEST_PASSWORD = PASSWORD_LENGTH
STATUSES: Final = ("available", "away", "busy", "offline")

AGENT = Shape(
    "Agent",
    "A person who takes calls.",
    [
        Member("id", ID),
        Member("customer_id", ID),
        Member("username", TEXT),
        Member("name", TEXT),
        Member("detail", TEXT),
        Member("ring_method", TEXT, "ringall or linear."),
        Member("status", text_of("", "ringing", *STATUSES)),
        Member("state", TEXT, "Finer: also reserved and wrapup."),
        Member("next_status", TEXT, "Applies when the present call is over; empty: available."),
        Member("permission", INTEGER, "Bits: 16 agent, 32 admin, 64 manager."),
        Member("tag_ids", IDS),
        Member("addresses", ADDRESS_SHAPE.list(), "Rung in order."),
        DIRECT_HASH,
        Member("tm_state", TIME, "Since when the state holds."),
        Member("busy_ms_total", INTEGER, "Milliseconds in conversation, up to tm_state."),
        Member("wrapup_ms_total", INTEGER, "Milliseconds in wrap-up, up to tm_state."),
        Member("available_ms_total", INTEGER, "Milliseconds available, up to tm_state."),
        Member("tm_create", TIME),
        Member("tm_update", TIME),
        Member("tm_delete", TIME),
    ],
)

_NAME = Field("name", text(NAME_LENGTH), "Name.")
_DETAIL = Field("detail", text(), "Description.")
_RING = Field("ring_method", one_of({"": "", "ringall": "ringall", "linear": "linear"}), "")
_PERMISSION = Field("permission", integer(0, 240), "Bits: 16 agent, 32 admin, 64 manager.")
_PASSWORD = Field("password", text(_LONGEST_PASSWORD, _SHORTEST_PASSWORD), "8 to 256 characters.")
_TAGS = Field("tag_ids", IDENTIFIERS, "Tags.")
_ADDRESSES = Field(
    "addresses", list_of(ADDRESS, MAX_ADDRESSES), "tel, sip or extension, rung in order."
)
_STATUS = Field("status", one_of({word: word for word in STATUSES}), "New status.")

_CREATE = Body(
    "AgentCreate",
    Field("username", text(NAME_LENGTH, 3), "Shaped like an e-mail address.", required=True),
    _PASSWORD.needed(),
    _NAME,
    _DETAIL,
    _RING,
    _PERMISSION,
    _TAGS,
    _ADDRESSES,
)
_MEMBERS = ("name", "detail", "ring_method", "permission", "password")
_NEW = made_of(pb.CreateAgentRequest, "username", *_MEMBERS, "tag_ids", "addresses")
_MERGED = merged(
    pb.UpdateAgentRequest,
    *_MEMBERS,
    "status",
    tag_ids=lambda ids: pb.TagIdList(ids=ids),
    addresses=lambda addresses: pb.AddressList(addresses=addresses),
)


def _tag_list(value: str, path: str) -> list[str]:
    found = [REFERENCE.parse(each.strip(), path) for each in value.split(",")]
    return [each for each in found if each]


def _create(call: Call) -> pb.CreateAgentRequest:
    _check_grant(call.caller, call.body.get("permission", int(Permission.AGENT)))
    request: pb.CreateAgentRequest = _NEW(call)
    return request


def _update(call: Call) -> pb.UpdateAgentRequest:
    request: pb.UpdateAgentRequest = _MERGED(call)
    if not request.ring_method:
        request.ClearField("ring_method")
    return request


def _check_grant(caller: Identity, permission: int) -> None:
    if permission & ~int(Permission.AGENT) and not caller.is_admin:
        raise PermissionDenied("only an administrator gives permissions beyond those of an agent")


def _changing(allowed: Permission, build: Build = _update) -> Handler:
    """A handler that changes an agent and makes the change count at once in this process."""
    ask = with_hash("agent", "UpdateAgent", _own_or(allowed, build))
    return _forgetting(ask)


def _forgetting(ask: Handler) -> Handler:
    async def handle(call: Call) -> Any:
        agent = await ask(call)
        call.parts.authenticator.forget_agent(UUID(agent.id), UUID(agent.customer_id))
        return agent

    return handle


def _own_or(allowed: Permission, build: Build) -> Build:
    """The request, if the caller has the permission or is the agent itself."""

    def checked(call: Call) -> Any:
        if not call.is_own() and not call.caller.may(allowed):
            raise PermissionDenied("this needs more permissions, or to be the agent itself")
        return build(call)

    return checked


def _put(member: Field, about: str, permission: Permission, route: Permission) -> Route:
    name = member.name
    return changing(
        TAG,
        f"/agents/{{id}}/{name}",
        about,
        _changing(permission),
        AGENT,
        Body(f"Agent{name.title().replace('_', '')}", member.needed()),
        permission=route,
    )


_GET = with_hash("agent", "GetAgent", _own_or(STAFF, by_id(pb.GetAgentRequest)))

ROUTES = (
    listing(
        TAG,
        "/agents",
        "List agents",
        with_hashes(
            "agent",
            "ListAgents",
            page_of(pb.ListAgentsRequest, tag_ids="tag_ids", status="status"),
            "agents",
        ),
        AGENT,
        "items",
        Field(
            "tag_ids",
            FieldKind({"type": "string"}, _tag_list),
            "Only agents with one of these tags, separated by commas.",
        ),
        Field(
            "status",
            one_of({word: word for word in (*STATUSES, "ringing")}),
            "Only agents of this status.",
        ),
    ),
    creating(
        TAG,
        "/agents",
        "Create an agent in status offline",
        with_hash("agent", "CreateAgent", _create),
        AGENT,
        _CREATE,
    ),
    reading(TAG, "/agents/{id}", "Get an agent", _GET, AGENT, permission=ANYONE),
    changing(
        TAG,
        "/agents/{id}",
        "Change an agent",
        _changing(STAFF),
        AGENT,
        Body("AgentUpdate", _NAME, _DETAIL, _RING),
        permission=ANYONE,
        about=MERGE,
    ),
    deleting(
        TAG,
        "/agents/{id}",
        "Delete an agent",
        _forgetting(with_hash("agent", "DeleteAgent", by_id(pb.DeleteAgentRequest))),
        AGENT,
    ),
    _put(_ADDRESSES, "Replace an agent's addresses", STAFF, STAFF),
    _put(_TAGS, "Replace an agent's tags", STAFF, STAFF),
    _put(_STATUS, "Set an agent's status", STAFF, ANYONE),
    _put(_PERMISSION, "Set an agent's permissions", Permission.ADMIN, Permission.ADMIN),
    _put(_PASSWORD, "Set an agent's password", Permission.ADMIN, ANYONE),
    renewal(TAG, "/agents/{id}", "agent", _GET, AGENT, ANYONE),
)
