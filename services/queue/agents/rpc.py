"""AgentService on the wire."""

from __future__ import annotations

from typing import Any

from grpc.aio import ServicerContext
from outbound.agent.v1 import agent_service_pb2 as agent_pb
from outbound.agent.v1 import agent_service_pb2_grpc as agent_grpc

from services.common.auth import Role, require_customer, require_role
from services.common.errors import invalid
from services.common.ids import parse_id
from services.common.paging import page_request
from services.queue.agents import convert
from services.queue.agents.domain import AgentStatus
from services.queue.agents.service import AgentService
from services.queue.agents.service_tags import TagService

Context = ServicerContext[Any, Any]


class AgentServicer(agent_grpc.AgentServiceServicer):
    """Parses, calls the use case, converts."""

    def __init__(self, agents: AgentService, tags: TagService) -> None:
        self._agents = agents
        self._tags = tags

    async def CreateAgent(  # noqa: D102
        self, request: agent_pb.CreateAgentRequest, context: Context
    ) -> agent_pb.Agent:
        new = convert.new_agent_from_proto(request)
        return convert.agent_to_proto(await self._agents.create_agent(require_customer(), new))

    async def GetAgent(  # noqa: D102
        self, request: agent_pb.GetAgentRequest, context: Context
    ) -> agent_pb.Agent:
        agent_id = parse_id(request.id, "id")
        return convert.agent_to_proto(await self._agents.get_agent(require_customer(), agent_id))

    async def ListAgents(  # noqa: D102
        self, request: agent_pb.ListAgentsRequest, context: Context
    ) -> agent_pb.ListAgentsResponse:
        agents, token = await self._agents.list_agents(
            require_customer(),
            page_request(request.page_size, request.page_token),
            convert.tag_ids_from_proto(request.tag_ids),
            _status_filter(request.status),
        )
        return agent_pb.ListAgentsResponse(
            agents=map(convert.agent_to_proto, agents), next_page_token=token
        )

    async def UpdateAgent(  # noqa: D102
        self, request: agent_pb.UpdateAgentRequest, context: Context
    ) -> agent_pb.Agent:
        agent_id = parse_id(request.id, "id")
        change = convert.change_from_proto(request)
        agent = await self._agents.update_agent(require_customer(), agent_id, change)
        return convert.agent_to_proto(agent)

    async def DeleteAgent(  # noqa: D102
        self, request: agent_pb.DeleteAgentRequest, context: Context
    ) -> agent_pb.Agent:
        agent_id = parse_id(request.id, "id")
        return convert.agent_to_proto(await self._agents.delete_agent(require_customer(), agent_id))

    async def VerifyPassword(  # noqa: D102
        self, request: agent_pb.VerifyPasswordRequest, context: Context
    ) -> agent_pb.Agent:
        require_role(Role.GATEWAY)
        agent = await self._agents.verify_password(request.username, request.password)
        return convert.agent_to_proto(agent)

    async def CreateTag(  # noqa: D102
        self, request: agent_pb.CreateTagRequest, context: Context
    ) -> agent_pb.Tag:
        new = convert.new_tag_from_proto(request)
        return convert.tag_to_proto(await self._tags.create_tag(require_customer(), new))

    async def GetTag(  # noqa: D102
        self, request: agent_pb.GetTagRequest, context: Context
    ) -> agent_pb.Tag:
        tag_id = parse_id(request.id, "id")
        return convert.tag_to_proto(await self._tags.get_tag(require_customer(), tag_id))

    async def ListTags(  # noqa: D102
        self, request: agent_pb.ListTagsRequest, context: Context
    ) -> agent_pb.ListTagsResponse:
        page = page_request(request.page_size, request.page_token)
        tags, token = await self._tags.list_tags(require_customer(), page)
        return agent_pb.ListTagsResponse(
            tags=map(convert.tag_to_proto, tags), next_page_token=token
        )

    async def UpdateTag(  # noqa: D102
        self, request: agent_pb.UpdateTagRequest, context: Context
    ) -> agent_pb.Tag:
        tag = await self._tags.update_tag(
            require_customer(),
            parse_id(request.id, "id"),
            request.name if request.HasField("name") else None,
            request.detail if request.HasField("detail") else None,
        )
        return convert.tag_to_proto(tag)

    async def DeleteTag(  # noqa: D102
        self, request: agent_pb.DeleteTagRequest, context: Context
    ) -> agent_pb.Tag:
        tag_id = parse_id(request.id, "id")
        return convert.tag_to_proto(await self._tags.delete_tag(require_customer(), tag_id))


def _status_filter(status: str) -> AgentStatus | None:
    if not status:
        return None
    if status not in set(AgentStatus):
        raise invalid("status", status, ", ".join(AgentStatus))
    return AgentStatus(status)
