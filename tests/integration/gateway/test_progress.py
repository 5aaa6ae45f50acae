"""Counters and the live stream of a campaign."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from outbound.campaign.v1 import campaign_service_pb2 as pb
from outbound.campaign.v1 import events_pb2 as campaign_events
from outbound.dialer.v1 import events_pb2 as dialer_events

from gateway.resources import progress
from services.common.bus import Bus, subject
from services.common.envelope import NewEvent, encode
from services.common.errors import Unavailable
from tests.integration.gateway.conftest import ACCESS_KEY, System, until

Event = tuple[str, dict[str, Any]]


async def campaign_with_everything(system: System) -> dict[str, Any]:
    outdial = (await system.ok("POST", "/outdials", {}))["id"]
    await system.ok("POST", f"/outdials/{outdial}/targets", {"destination_0": "+15551234567"})
    queue = (await system.ok("POST", "/queues", {"name": "sales"}))["id"]
    made: dict[str, Any] = await system.ok(
        "POST", "/campaigns", {"name": "c", "outdial_id": outdial, "queue_id": queue}
    )
    return made


async def test_stats_join_attempts_targets_and_queue(system: System) -> None:
    made = await campaign_with_everything(system)
    system.backends.stats[made["id"]] = pb.CampaignStats(
        attempt_count=7, success_count=3, hangup_reason_counts={"normal": 3, "busy": 4}
    )
    stats = await system.ok("GET", f"/v1.0/campaigns/{made['id']}/stats")
    assert (stats["status"], stats["state"], stats["stop_reason"]) == ("stop", "stop", "")
    assert stats["attempts"]["attempt_count"] == 7
    assert stats["attempts"]["hangup_reason_counts"] == {"normal": 3, "busy": 4}
    assert stats["targets"]["total_count"] == stats["targets"]["idle_count"] == 1
    assert stats["queue"]["name"] == "sales"
    assert stats["tm_run_start"].startswith("9999")


async def test_stats_without_outdial_and_queue(system: System) -> None:
    made = await system.ok("POST", "/campaigns", {})
    stats = await system.ok("GET", f"/campaigns/{made['id']}/stats?time_format=rfc3339")
    assert stats["targets"]["total_count"] == 0
    assert stats["queue"] is None
    assert stats["tm_run_start"] is None


async def test_stats_of_a_part_that_is_down_are_503(system: System) -> None:
    made = await campaign_with_everything(system)
    system.backends.fail["GetOutdialProgress"] = lambda: Unavailable("down")
    await system.refused(503, "GET", f"/campaigns/{made['id']}/stats")


@asynccontextmanager
async def following(system: System, campaign: str, query: str = "") -> AsyncIterator[Any]:
    url = f"/v1.0/campaigns/{campaign}/events?token={ACCESS_KEY}{query}"
    async with system.http.stream("GET", url) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()

        async def event() -> Event:
            name = ""
            async with asyncio.timeout(10):
                async for line in lines:
                    if line.startswith("event: "):
                        name = line[7:]
                    elif line.startswith("data: "):
                        return name, json.loads(line[6:])
            raise AssertionError("the stream ended")

        yield event


async def publish(system: System, customer: str, event: NewEvent) -> None:
    bus = await Bus.connect(system.settings.nats_url, "", "test")
    for batch in encode([event], datetime.now(UTC)):
        await bus.client.publish(subject(customer, batch.resource, batch.event), batch.payload)
    await bus.close()


async def test_a_stream_begins_with_everything_and_follows_changes(system: System) -> None:
    made = await campaign_with_everything(system)
    async with following(system, made["id"]) as event:
        assert await event() == ("campaign", made)
        name, stats = await event()
        assert (name, stats["attempts"]["attempt_count"]) == ("stats", 0)
        await system.ok("PUT", f"/campaigns/{made['id']}", {"status": "run"})
        seen = dict([await event(), await event()])
        assert seen["campaign"]["status"] == "run"
        assert seen["stats"]["state"] == "running"
        system.backends.stats[made["id"]] = pb.CampaignStats(attempt_count=5)
        name, stats = await event()
        assert (name, stats["attempts"]["attempt_count"]) == ("stats", 5)


async def test_events_of_the_bus_arrive_at_once_and_once(system: System) -> None:
    made = await campaign_with_everything(system)
    campaign = UUID(made["id"])
    customer = made["customer_id"]
    async with following(system, made["id"], "&time_format=rfc3339") as event:
        await event()
        await event()
        renamed = pb.Campaign()
        renamed.CopyFrom(system.backends.campaigns.rows[made["id"]])
        renamed.name, renamed.revision = "renamed", 9
        told = NewEvent(
            UUID(customer),
            "campaign",
            "updated",
            campaign,
            9,
            campaign_events.CampaignEvent(campaign=renamed).SerializeToString(),
            "outbound.campaign.v1.CampaignEvent",
        )
        await publish(system, customer, told)
        name, shown = await event()
        assert (name, shown["name"], shown["tm_delete"]) == ("campaign", "renamed", None)
        await publish(system, customer, told)
        pacing = dialer_events.PacingEvent(
            campaign_id=made["id"], started_count=3, bound=dialer_events.PacingEvent.BOUND_AGENTS
        )
        await publish(
            system,
            customer,
            NewEvent(
                UUID(customer),
                "pacing",
                "decided",
                campaign,
                0,
                pacing.SerializeToString(),
                "outbound.dialer.v1.PacingEvent",
            ),
        )
        name, shown = await event()
        assert (name, shown["started_count"], shown["bound"]) == ("pacing", 3, "agents")
        assert shown["available_count"] is None


async def test_many_readers_cost_one_watch(system: System) -> None:
    made = await campaign_with_everything(system)
    await system.ok("PUT", f"/campaigns/{made['id']}", {"status": "run"})
    async with (
        following(system, made["id"]) as one,
        following(system, made["id"]) as two,
        following(system, made["id"]) as three,
    ):
        for event in (one, two, three):
            await event()
            await event()
        system.backends.asked.clear()
        await asyncio.sleep(1.5)
        assert 1 <= system.backends.asked.count("GetCampaignStats") <= 3
    await until(lambda: not system.gateway.parts.progress._watches)


async def test_a_stream_outlives_a_service_that_is_away(system: System) -> None:
    made = await campaign_with_everything(system)
    async with following(system, made["id"]) as event:
        await event()
        await event()
        await system.ok("PUT", f"/campaigns/{made['id']}", {"status": "run"})
        await event()
        await event()
        await system.processes.stop("campaign")
        await asyncio.sleep(1.2)
        system.backends.stats[made["id"]] = pb.CampaignStats(attempt_count=1)
        await system.processes.start("campaign")
        name, stats = await event()
        assert (name, stats["attempts"]["attempt_count"]) == ("stats", 1)


async def test_streams_end_when_the_gateway_stops(system: System) -> None:
    made = await campaign_with_everything(system)
    async with following(system, made["id"]) as event:
        await event()
        await event()
        system.gateway.stop()
        assert await event() == ("end", {"reason": "shutdown"})


async def test_a_deleted_key_ends_its_stream(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT_SECONDS", 0.2)
    made = await campaign_with_everything(system)
    key = await system.ok("POST", "/accesskeys", {"expire": 86400})
    url = f"/campaigns/{made['id']}/events?token={key['token']}"
    async with system.http.stream("GET", url) as response:
        await system.ok("DELETE", f"/accesskeys/{key['id']}")
        async with asyncio.timeout(5):
            text = "\n".join([line async for line in response.aiter_lines()])
    assert ": keep-alive" in text
    assert 'data: {"reason":"credential_refused"}' in text


@pytest.fixture
def changes(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"streams_per_customer": 1} if "too_many" in request.node.name else {}


async def test_too_many_streams_are_refused(system: System) -> None:
    made = await campaign_with_everything(system)
    async with following(system, made["id"]) as event:
        await event()
        error = await system.refused(429, "GET", f"/campaigns/{made['id']}/events")
        assert error["reason"] == "RESOURCE_LIMIT_EXCEEDED"
    async with asyncio.timeout(5):
        while True:
            try:
                async with following(system, made["id"]) as event:
                    await event()
                return
            except (AssertionError, httpx.HTTPError):
                await asyncio.sleep(0.05)
