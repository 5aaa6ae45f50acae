"""A client published by others, unchanged: every tool of voipbin-mcp against the running stack.

Tools for what this system has must succeed; tools for the rest of that platform must be told so by
the documented envelope.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters, Tool
from mcp.client.stdio import stdio_client
from mcp.types import TextContent

from tests.fixtures.stack import RunningStack
from tests.support.scenario import make_scenario, run

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]

ACTIONS = [{"type": "answer", "option": {}}, {"type": "talk", "option": {"text": "Hello."}}]

# Tool -> arguments beside what its schema demands, in the order of use. Ids come from the stack.
OURS: dict[str, dict[str, Any]] = {
    "list_calls": {"page_size": 5},
    "get_call": {},
    "hangup_call": {},
    "list_activeflows": {},
    "get_activeflow": {},
    "stop_activeflow": {},
    "list_flows": {},
    "create_flow": {"actions": ACTIONS},
    "get_flow": {},
    "update_flow": {"actions": ACTIONS},
    "delete_flow": {},
    "list_agents": {},
    "get_agent": {},
    "list_tags": {},
    "get_tag": {},
    "list_queues": {},
    "get_queue": {},
    "list_campaigns": {"page_size": 2},
    # Its default service level is 0, with which a campaign could never dial; that is refused here.
    "create_campaign": {"campaign_type": "call", "actions": ACTIONS, "service_level": 80},
    "get_campaign": {},
    "update_campaign": {"name": "renamed"},
    "update_campaign_actions": {"actions": []},
    "delete_campaign": {},
    "get_customer": {},
}
# Calls, messages and so on that this system does not have.
NOT_OURS = {
    "create_call",
    "list_numbers", "get_number",
    "list_contacts", "get_contact", "create_contact", "update_contact", "delete_contact",
    "add_contact_address", "update_contact_address", "delete_contact_address",
    "add_contact_tag", "delete_contact_tag",
    "list_messages", "get_message", "send_message",
    "list_emails", "get_email", "send_email",
    "list_conversations", "get_conversation",
    "list_conferences", "get_conference", "create_conference", "delete_conference",
    "list_routes", "get_route",
    "list_billings", "get_billing",
    "list_ais", "get_ai", "create_ai",
    "list_extensions", "get_extension",
    "phone_incoming_configure",
}  # fmt: skip
# The client's own live conversations need an event socket that is not offered; it says so itself.
PHONE = {
    "phone_call_start": "events_unavailable",
    "phone_wait_incoming": "events_unavailable",
    "phone_say_and_listen": "unknown_call",
    "phone_say": "unknown_call",
    "phone_listen": "unknown_call",
    "phone_hangup": "unknown_call",
    "phone_status": "",
}
DESTINATION = {"destination_type": "tel", "destination_target": "+15550101000"}


@dataclass
class Driver:
    """Calls tools with arguments made from their schemas."""

    session: ClientSession
    tools: Mapping[str, Tool]
    ids: dict[str, str] = field(default_factory=dict)

    async def call(self, name: str, /, **given: Any) -> tuple[bool, str]:
        """Whether the tool succeeded, and its text."""
        schema = self.tools[name].inputSchema
        arguments = {
            member: self._plausible(member, schema["properties"][member])
            for member in schema.get("required", [])
        }
        result = await self.session.call_tool(name, arguments | given)
        (content,) = result.content
        assert isinstance(content, TextContent)
        return not result.isError, content.text

    async def succeed(self, name: str, /, **given: Any) -> dict[str, Any]:
        """The JSON object the tool returned."""
        is_good, text = await self.call(name, **given)
        assert is_good, f"{name}: {text}"
        answer: dict[str, Any] = json.loads(text)
        return answer

    def _plausible(self, member: str, schema: Mapping[str, Any]) -> Any:
        if member.endswith("_id"):
            return self.ids.get(member, str(uuid.uuid4()))
        if member.endswith(("_target", "_number")):
            return "+15550101000"
        kinds: dict[str, Any] = {"string": member, "array": [], "boolean": True, "integer": 1}
        return kinds[schema["type"]]


@contextlib.asynccontextmanager
async def driver(stack: RunningStack, transport: str) -> AsyncIterator[Driver]:
    """The published server in its own process, talked to as any assistant would."""
    server = StdioServerParameters(
        command=str(Path(sys.executable).parent / "voipbin-mcp"),
        env={
            "VOIPBIN_API_KEY": stack.access_key,
            "VOIPBIN_API_BASE_URL": f"{stack.url}/v1.0",
            "VOIPBIN_AUTH_TRANSPORT": transport,
        },
    )
    with (stack.data_dir / "voipbin-mcp.log").open("w") as log:
        async with (
            stdio_client(server, errlog=log) as (read, write),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            yield Driver(session, {tool.name: tool for tool in tools})


def prepare(stack: RunningStack) -> dict[str, str]:
    """What the tools can name: a queue with an agent, and a campaign whose calls are going on."""
    with stack.client() as client:
        numbers = [f"+1999000{index:04d}" for index in range(5000, 5400)]
        busy = make_scenario(client, numbers, calls_per_second=1.0)
        idle = make_scenario(client, ["+19990005999"], agents=1)
        queue = client.get(f"/queues/{idle.queue_id}")
        run(client, busy)
    return {
        "busy_campaign": busy.campaign_id,
        "queue_id": idle.queue_id,
        "agent_id": idle.agent_ids[0],
        "tag_id": queue["tag_ids"][0],
        "outplan_id": idle.outplan_id,
    }


async def live_call(driver: Driver) -> dict[str, Any]:
    """A call in progress, with its activeflow."""
    deadline = asyncio.get_running_loop().time() + 60
    while asyncio.get_running_loop().time() < deadline:
        page = await driver.succeed("list_calls", page_size=20)
        for call in page["result"]:
            if call["status"] == "progressing":
                return dict(call)
        await asyncio.sleep(0.05)
    pytest.fail("no call was answered")


async def end_a_call(driver: Driver) -> None:
    """Hang up one live call and stop the flow of another; people may hang up first."""
    for name, member in (("hangup_call", "id"), ("stop_activeflow", "activeflow_id")):
        for _ in range(20):
            call = await live_call(driver)
            driver.ids |= {"call_id": call["id"], "activeflow_id": call["activeflow_id"]}
            is_good, text = await driver.call(name)
            if is_good:
                assert json.loads(text)["id"] == call[member]
                break
            assert "STATE_INVALID" in text, text
        else:
            pytest.fail(f"{name} never met a live call")


async def test_the_tables_name_every_tool(stack: RunningStack) -> None:
    async with driver(stack, "cookie") as own:
        assert own.tools.keys() == OURS.keys() | NOT_OURS | PHONE.keys()


@pytest.mark.parametrize("transport", ["cookie", "query"])
async def test_tools_for_our_resources_succeed(stack: RunningStack, transport: str) -> None:
    ids = prepare(stack)
    async with driver(stack, transport) as own:
        own.ids |= ids
        await end_a_call(own)
        for name, given in OURS.items():
            if name in ("hangup_call", "stop_activeflow"):
                continue
            answer = await own.succeed(name, **given)
            kind = name.partition("_")[2]
            if name.startswith("list_"):
                assert answer.keys() == {"result", "next_page_token"}, name
            elif name.startswith("create_"):
                own.ids[f"{kind}_id"] = answer["id"]
            elif name == "get_customer":
                assert str(uuid.UUID(answer["id"])) == answer["id"]
            else:
                kind = kind.removesuffix("_actions")
                assert answer["id"] == own.ids[f"{kind}_id"], name
    with stack.client() as client:
        client.put(f"/campaigns/{ids['busy_campaign']}", {"status": "stop"})


async def test_campaign_tools_change_what_they_name_and_nothing_else(stack: RunningStack) -> None:
    async with driver(stack, "cookie") as own:
        own.ids |= prepare(stack)
        made = await own.succeed(
            "create_campaign",
            **OURS["create_campaign"],
            outplan_id=own.ids["outplan_id"],
            queue_id=own.ids["queue_id"],
        )
        own.ids["campaign_id"] = made["id"]
        assert (made["outplan_id"], made["queue_id"]) == (
            own.ids["outplan_id"],
            own.ids["queue_id"],
        )
        renamed = await own.succeed("update_campaign", name="renamed")
        assert renamed == made | {"name": "renamed", "tm_update": renamed["tm_update"]}
        emptied = await own.succeed("update_campaign_actions", actions=[])
        assert emptied == renamed | {"actions": [], "tm_update": emptied["tm_update"]}


async def test_pages_follow_each_other(stack: RunningStack) -> None:
    async with driver(stack, "cookie") as own:
        for _ in range(3):
            await own.succeed("create_flow", actions=ACTIONS)
        first = await own.succeed("list_flows", page_size=2)
        token = first["next_page_token"]
        second = await own.succeed("list_flows", page_size=2, page_token=token)
        ids = [each["id"] for page in (first, second) for each in page["result"]]
        assert len(set(ids)) == len(ids) >= 3


async def test_unknown_ids_are_reported_with_the_documented_reason(stack: RunningStack) -> None:
    async with driver(stack, "cookie") as own:
        for name in ("get_campaign", "get_flow", "get_queue", "get_agent", "get_tag", "get_call"):
            is_good, text = await own.call(name)
            assert not is_good
            assert f"404 ({name.removeprefix('get_').upper()}_NOT_FOUND)" in text
            assert "request_id" in text


async def test_tools_for_the_rest_learn_that_there_is_no_such_route(stack: RunningStack) -> None:
    async with driver(stack, "cookie") as own:
        for name in sorted(NOT_OURS):
            is_good, text = await own.call(name)
            assert not is_good, f"{name}: {text}"
            assert "404 (ROUTE_NOT_FOUND)" in text, f"{name}: {text}"


async def test_phone_tools_say_what_is_missing(stack: RunningStack) -> None:
    async with driver(stack, "cookie") as own:
        # Two of them wait ten seconds for the event socket.
        answers = await asyncio.gather(
            *(own.call(name, **(DESTINATION if "start" in name else {})) for name in PHONE)
        )
        for (name, reason), (is_good, text) in zip(PHONE.items(), answers, strict=True):
            assert is_good, f"{name}: {text}"
            assert json.loads(text).get("reason", "") == reason, name
