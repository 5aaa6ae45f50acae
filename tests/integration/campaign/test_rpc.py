"""The process as others see it: gRPC over a socket, events on NATS, its own tokens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc
from outbound.campaign.v1 import events_pb2 as campaign_events
from outbound.common.v1 import action_pb2 as action_pb
from outbound.common.v1 import address_pb2 as address_pb
from outbound.flow.v1 import flow_service_pb2 as flow_pb
from outbound.flow.v1 import flow_service_pb2_grpc as flow_grpc
from outbound.outplan.v1 import outplan_service_pb2 as outplan_pb
from outbound.outplan.v1 import outplan_service_pb2_grpc as outplan_grpc

from services.campaign import app
from services.campaign.config import CampaignSettings
from services.common.auth import Role, TokenIssuer, acting_for, generate_key_pair
from services.common.bus import Bus, Received
from services.common.clients import Channels
from services.common.consumer import Consumer
from services.common.errors import (
    AppError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
)
from services.common.ids import new_id
from services.common.server import Server
from tests.fixtures.postgres import DatabaseFactory

CUSTOMER, OTHER = new_id(), new_id()
Pb = campaign_pb.Campaign


@dataclass
class Process:
    """A running campaign process and channels to it in every role."""

    address: str
    issuers: dict[Role, TokenIssuer]

    @asynccontextmanager
    async def campaigns(
        self, role: Role = Role.GATEWAY
    ) -> AsyncIterator[campaign_grpc.CampaignServiceStub]:
        channels = Channels(self.issuers[role])
        yield campaign_grpc.CampaignServiceStub(channels.channel(self.address, "campaign"))
        await channels.close()


@pytest.fixture
async def process(
    database: DatabaseFactory, nats_url: str, tmp_path: Path
) -> AsyncIterator[Process]:
    keys = {role: generate_key_pair() for role in Role}
    trusted = {
        role.value: {"role": role.value, "public_key": key.public_key} for role, key in keys.items()
    }
    (tmp_path / "trusted.json").write_text(json.dumps(trusted))
    (tmp_path / "key.pem").write_text(keys[Role.CAMPAIGN].private_pem)
    settings = CampaignSettings(
        database_url=database("campaign"),
        nats_url=nats_url,
        key_file=str(tmp_path / "key.pem"),
        trusted_keys_file=str(tmp_path / "trusted.json"),
        metrics_listen="",
        # Nobody listens there.
        outdial_address="127.0.0.1:1",
        queue_address="127.0.0.1:1",
        drain_seconds=0,
    )
    server = Server(await app.build(settings))
    await server.start()
    running = asyncio.create_task(server.run())
    await server.wait_serving()
    issuers = {role: TokenIssuer(role.value, key.private_pem) for role, key in keys.items()}
    yield Process(server.address, issuers)
    server.stop()
    await running


async def test_a_literal_session_over_grpc(process: Process) -> None:
    channels = Channels(process.issuers[Role.GATEWAY])
    channel = channels.channel(process.address, "campaign")
    campaigns = campaign_grpc.CampaignServiceStub(channel)
    with acting_for(CUSTOMER):
        plan = await outplan_grpc.OutplanServiceStub(channel).CreateOutplan(
            outplan_pb.CreateOutplanRequest(
                name="plan", source=address_pb.Address(target="+1 (555) 123-4567")
            )
        )
        assert list(plan.max_try_counts) == [1, 0, 0, 0, 0]
        assert plan.source == address_pb.Address(type="tel", target="+15551234567")
        talk = action_pb.Action(type="talk", option_json='{"text":"Hello","language":"en-US"}')
        flow = await flow_grpc.FlowServiceStub(channel).CreateFlow(
            flow_pb.CreateFlowRequest(name="flow", actions=[talk])
        )
        created = await campaigns.CreateCampaign(
            campaign_pb.CreateCampaignRequest(
                name="test campaign",
                service_level=80,
                actions=[talk],
                flow_id=flow.id,
                outplan_id=plan.id,
            )
        )
        assert (created.type, created.status, created.state) == (
            Pb.TYPE_CALL,
            Pb.STATUS_STOP,
            Pb.STATE_STOP,
        )
        assert created.service_level == 80
        assert list(created.actions) == [talk]
        assert not created.HasField("tm_update")
        listed = await campaigns.ListCampaigns(campaign_pb.ListCampaignsRequest())
        assert list(listed.campaigns) == [created]
        changed = await campaigns.UpdateCampaign(
            campaign_pb.UpdateCampaignRequest(id=created.id, name="z")
        )
        assert (changed.name, changed.service_level) == ("z", 80)
        with pytest.raises(FailedPrecondition, match="outdial_id"):
            await campaigns.SetCampaignStatus(
                campaign_pb.SetCampaignStatusRequest(id=created.id, status=Pb.STATUS_RUN)
            )
        stats = await campaigns.GetCampaignStats(campaign_pb.GetCampaignStatsRequest(id=created.id))
        assert (stats.attempt_count, stats.lease_holder) == (0, "")
        deleted = await campaigns.DeleteCampaign(campaign_pb.DeleteCampaignRequest(id=created.id))
        assert deleted.HasField("tm_delete")
    await channels.close()


async def test_a_list_of_large_flows_comes_in_more_pages(process: Process) -> None:
    channels = Channels(process.issuers[Role.GATEWAY])
    flows = flow_grpc.FlowServiceStub(channels.channel(process.address, "campaign"))
    # Each of these characters is six in JSON, in which form they are sent and told.
    option = json.dumps({"text": "x", "note": "\x01" * 10_000})
    talk = action_pb.Action(type="talk", option_json=option)
    with acting_for(CUSTOMER):
        made = [
            (await flows.CreateFlow(flow_pb.CreateFlowRequest(actions=[talk] * 17))).id
            for _ in range(36)
        ]
        found: list[str] = []
        pages, token = 0, ""
        while True:
            page = await flows.ListFlows(flow_pb.ListFlowsRequest(page_token=token))
            if not page.flows:
                break
            pages, token = pages + 1, page.next_page_token
            found += [each.id for each in page.flows]
    assert found == made[::-1]
    assert pages > 1
    await channels.close()


async def test_the_wait_for_agents_is_set_and_cleared_over_grpc(process: Process) -> None:
    talk = action_pb.Action(type="talk", option_json='{"text":"Sorry"}')
    async with process.campaigns() as campaigns:
        with acting_for(CUSTOMER):
            created = await campaigns.CreateCampaign(campaign_pb.CreateCampaignRequest())
            assert (created.agent_wait_limit, list(created.abandonment_actions)) == (2_000, [])
            changed = await campaigns.UpdateCampaign(
                campaign_pb.UpdateCampaignRequest(
                    id=created.id,
                    agent_wait_limit=0,
                    abandonment_actions=action_pb.ActionList(actions=[talk]),
                )
            )
            assert (changed.agent_wait_limit, list(changed.abandonment_actions)) == (0, [talk])
            changed = await campaigns.UpdateCampaign(
                campaign_pb.UpdateCampaignRequest(
                    id=created.id, abandonment_actions=action_pb.ActionList()
                )
            )
            assert (changed.agent_wait_limit, list(changed.abandonment_actions)) == (0, [])


async def test_errors_have_the_documented_class_and_reason(process: Process) -> None:
    cases: list[tuple[campaign_pb.CreateCampaignRequest, str]] = [
        (campaign_pb.CreateCampaignRequest(service_level=0), "service_level"),
        (campaign_pb.CreateCampaignRequest(flow_id="x"), "flow_id"),
        (campaign_pb.CreateCampaignRequest(id="x"), "id"),
        (campaign_pb.CreateCampaignRequest(type=77), "type"),  # type: ignore[arg-type]
        (
            campaign_pb.CreateCampaignRequest(actions=[action_pb.Action(type="nope")]),
            "actions[0].type",
        ),
        (
            campaign_pb.CreateCampaignRequest(
                actions=[action_pb.Action(type="talk", option_json="[]")]
            ),
            "actions[0].option",
        ),
        (campaign_pb.CreateCampaignRequest(agent_wait_limit=3_600_001), "agent_wait_limit"),
        (campaign_pb.CreateCampaignRequest(agent_wait_limit=-1), "agent_wait_limit"),
        (
            campaign_pb.CreateCampaignRequest(
                abandonment_actions=[action_pb.Action(type="hangup"), action_pb.Action(type="x")]
            ),
            "abandonment_actions[1].type",
        ),
        (
            campaign_pb.CreateCampaignRequest(
                abandonment_actions=[action_pb.Action(type="talk", option_json="1")]
            ),
            "abandonment_actions[0].option",
        ),
    ]
    async with process.campaigns() as stub:
        with acting_for(CUSTOMER):
            for request, field in cases:
                with pytest.raises(InvalidArgument) as caught:
                    await stub.CreateCampaign(request)
                assert [each.field for each in caught.value.violations] == [field]
            await expect(NotFound, "CAMPAIGN_NOT_FOUND", stub, str(new_id()))
            await expect(InvalidArgument, "INVALID_ID", stub, "not-an-id")
            created = await stub.CreateCampaign(campaign_pb.CreateCampaignRequest())
            with pytest.raises(InvalidArgument) as token:
                await stub.ListCampaigns(campaign_pb.ListCampaignsRequest(page_token="x"))
            assert token.value.reason == "INVALID_REQUEST_PARAMETER"
        with acting_for(OTHER):
            await expect(PermissionDenied, "PERMISSION_DENIED", stub, created.id)
        await expect(Unauthenticated, "AUTHENTICATION_REQUIRED", stub, created.id)


async def expect(
    kind: type[AppError], reason: str, stub: campaign_grpc.CampaignServiceStub, campaign_id: str
) -> None:
    with pytest.raises(kind) as caught:
        await stub.GetCampaign(campaign_pb.GetCampaignRequest(id=campaign_id))
    assert caught.value.reason == reason


async def test_only_dialers_dial_and_only_outdial_resolves(process: Process) -> None:
    async with process.campaigns(Role.GATEWAY) as stub:
        for call in (
            stub.AcquireLeases(campaign_pb.AcquireLeasesRequest(dialer_id="d")),
            stub.ReleaseLeases(campaign_pb.ReleaseLeasesRequest(dialer_id="d")),
            stub.OpenCampaigncalls(campaign_pb.OpenCampaigncallsRequest(dialer_id="d")),
            stub.ReportCampaigncalls(campaign_pb.ReportCampaigncallsRequest()),
            stub.ListOpenCampaigncalls(campaign_pb.ListOpenCampaigncallsRequest()),
            stub.FinishRun(campaign_pb.FinishRunRequest()),
            stub.ResolveAttempts(campaign_pb.ResolveAttemptsRequest()),
        ):
            with pytest.raises(PermissionDenied):
                await call
    async with process.campaigns(Role.DIALER) as stub:
        leases = await stub.AcquireLeases(
            campaign_pb.AcquireLeasesRequest(dialer_id="d", capacity=5)
        )
        assert list(leases.leases) == []
        with pytest.raises(PermissionDenied):
            await stub.ResolveAttempts(campaign_pb.ResolveAttemptsRequest())
    async with process.campaigns(Role.OUTDIAL) as stub:
        unknown = str(new_id())
        found = await stub.ResolveAttempts(campaign_pb.ResolveAttemptsRequest(ids=[unknown]))
        (resolution,) = found.resolutions
        assert resolution.state == campaign_pb.AttemptResolution.STATE_NEVER_OPENED


async def test_bad_batches_are_refused_with_their_place(process: Process) -> None:
    opening = campaign_pb.OpeningAttempt(
        id=str(new_id()),
        outdial_target_id=str(new_id()),
        destination=address_pb.Address(type="tel", target="+15550001"),
        try_count=1,
    )

    def opened(*attempts: campaign_pb.OpeningAttempt) -> campaign_pb.OpenCampaigncallsRequest:
        return campaign_pb.OpenCampaigncallsRequest(
            dialer_id="d", campaign_id=str(new_id()), attempts=attempts
        )

    report = campaign_pb.CampaigncallReport(id=str(new_id()), tm=Timestamp(seconds=1))
    async with process.campaigns(Role.DIALER) as stub:
        answer = await stub.OpenCampaigncalls(opened(opening))
        assert [each.verdict for each in answer.verdicts] == [
            campaign_pb.OpenVerdict.VERDICT_REFUSED
        ]
        for request, field in (
            (opened(opening, opening), "attempts"),
            (opened(campaign_pb.OpeningAttempt(id="x")), "attempts[0].destination"),
            (opened(*[opening] * 1001), "attempts"),
        ):
            with pytest.raises(InvalidArgument) as caught:
                await stub.OpenCampaigncalls(request)
            assert [each.field for each in caught.value.violations] == [field]
        with pytest.raises(InvalidArgument, match="kind"):
            await stub.ReportCampaigncalls(campaign_pb.ReportCampaigncallsRequest(reports=[report]))


async def test_an_outdial_cannot_be_taken_while_its_service_is_down(process: Process) -> None:
    async with process.campaigns() as stub:
        with acting_for(CUSTOMER), pytest.raises(Unavailable):
            await stub.CreateCampaign(campaign_pb.CreateCampaignRequest(outdial_id=str(new_id())))


async def test_events_reach_nats(process: Process, nats_url: str) -> None:
    received: list[Received] = []
    seen = asyncio.Event()

    async def handle(batch: list[Received]) -> None:
        received.extend(batch)
        seen.set()

    bus = await Bus.connect(nats_url, "", "test")
    consumer = asyncio.create_task(Consumer(bus, "test", [("campaign", "created")], handle).run())
    async with process.campaigns() as stub:
        with acting_for(CUSTOMER):
            created = await stub.CreateCampaign(campaign_pb.CreateCampaignRequest(name="seen"))
    async with asyncio.timeout(10):
        await seen.wait()
    (event,) = received[0].events
    assert (event.customer_id, event.resource_id) == (CUSTOMER, UUID(created.id))
    assert event.revision == created.revision == 1
    assert campaign_events.CampaignEvent.FromString(event.data).campaign == created
    consumer.cancel()
    await bus.close()
