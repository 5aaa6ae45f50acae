"""Agents and tags as protobuf messages, both ways."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from outbound.agent.v1 import agent_service_pb2 as agent_pb
from outbound.common.v1 import address_pb2 as address_pb

from services.common.address import Address, normalise
from services.common.convert import (
    address_from_proto,
    addresses_to_proto,
    digest,
    timestamp_to_proto,
)
from services.common.ids import optional_id, parse_id
from services.queue.agents.domain import Agent, AgentChange, NewAgent, NewTag, Tag, check_status


def agent_to_proto(agent: Agent) -> agent_pb.Agent:
    """The message."""
    return agent_pb.Agent(
        id=str(agent.id),
        customer_id=str(agent.customer_id),
        username=agent.username,
        name=agent.name,
        detail=agent.detail,
        ring_method=agent.ring_method,
        status=str(agent.status),
        state=str(agent.state),
        next_status=agent.next_status,
        permission=agent.permission,
        tag_ids=[str(each) for each in agent.tag_ids],
        addresses=addresses_to_proto(agent.addresses),
        tm_state=timestamp_to_proto(agent.tm_state),
        busy_ms_total=agent.busy_ms_total,
        available_ms_total=agent.available_ms_total,
        wrapup_ms_total=agent.wrapup_ms_total,
        revision=agent.revision,
        tm_create=timestamp_to_proto(agent.tm_create),
        tm_update=timestamp_to_proto(agent.tm_update),
        tm_delete=timestamp_to_proto(agent.tm_delete),
    )


def new_agent_from_proto(request: agent_pb.CreateAgentRequest) -> NewAgent:
    """The body of a create request."""
    # Without the password: a plain hash of it must not be kept.
    told = agent_pb.CreateAgentRequest()
    told.CopyFrom(request)
    told.ClearField("password")
    return NewAgent(
        id=optional_id(request.id, "id"),
        digest=digest(told),
        username=request.username,
        password=request.password,
        name=request.name,
        detail=request.detail,
        ring_method=request.ring_method,
        permission=request.permission if request.HasField("permission") else None,
        tag_ids=tag_ids_from_proto(request.tag_ids),
        addresses=_addresses_from_proto(request.addresses),
    )


def change_from_proto(request: agent_pb.UpdateAgentRequest) -> AgentChange:
    """What an update sets."""
    has = request.HasField
    return AgentChange(
        name=request.name if has("name") else None,
        detail=request.detail if has("detail") else None,
        ring_method=request.ring_method if has("ring_method") else None,
        permission=request.permission if has("permission") else None,
        tag_ids=tag_ids_from_proto(request.tag_ids.ids) if has("tag_ids") else None,
        addresses=_addresses_from_proto(request.addresses.addresses) if has("addresses") else None,
        status=check_status(request.status) if has("status") else None,
        password=request.password if has("password") else None,
    )


def tag_ids_from_proto(ids: Iterable[str]) -> tuple[UUID, ...]:
    """The ids, in order."""
    return tuple(parse_id(each, f"tag_ids[{index}]") for index, each in enumerate(ids))


def new_tag_from_proto(request: agent_pb.CreateTagRequest) -> NewTag:
    """The body of a create request."""
    return NewTag(optional_id(request.id, "id"), digest(request), request.name, request.detail)


def tag_to_proto(tag: Tag) -> agent_pb.Tag:
    """The message."""
    return agent_pb.Tag(
        id=str(tag.id),
        customer_id=str(tag.customer_id),
        name=tag.name,
        detail=tag.detail,
        tm_create=timestamp_to_proto(tag.tm_create),
        tm_update=timestamp_to_proto(tag.tm_update),
        tm_delete=timestamp_to_proto(tag.tm_delete),
    )


def _addresses_from_proto(messages: Iterable[address_pb.Address]) -> tuple[Address, ...]:
    """The addresses in normal form, without empty ones."""
    given = (
        normalise(address_from_proto(message), field=f"addresses[{index}]")
        for index, message in enumerate(messages)
    )
    return tuple(each for each in given if each is not None)
