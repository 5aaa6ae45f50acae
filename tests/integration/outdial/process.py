"""The outdial process beside a campaign process that knows one campaign, as its callers see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc
from outbound.common.v1 import address_pb2 as address_pb
from outbound.common.v1 import events_pb2 as batch_pb
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc

from services.common.auth import (
    Role,
    TokenIssuer,
    TokenVerifier,
    acting_for,
    generate_key_pair,
    require_customer,
    require_role,
)
from services.common.bus import Bus, Received, subject
from services.common.clients import Channels
from services.common.errors import (
    NotFound,
)
from services.common.ids import new_id
from services.common.server import Server, ServerParts
from services.outdial import app
from services.outdial.config import OutdialSettings

CUSTOMER = new_id()
CAMPAIGN = str(new_id())
ROLES = (Role.GATEWAY, Role.DIALER, Role.CAMPAIGN, Role.OUTDIAL)
END = outdial_pb.ImportTargetsRequest(end=outdial_pb.ImportEnd())
PLAN = outdial_pb.ClaimPlan(max_try_counts=[2, 0, 0, 0, 0], address_types=["tel"])


class CampaignServicer(campaign_grpc.CampaignServiceServicer):
    """Knows one campaign, and that no attempt was ever opened."""

    async def GetCampaign(
        self, request: campaign_pb.GetCampaignRequest, context: Any
    ) -> campaign_pb.Campaign:
        assert require_customer() == CUSTOMER
        if request.id != CAMPAIGN:
            raise NotFound("no such campaign", reason="CAMPAIGN_NOT_FOUND")
        return campaign_pb.Campaign(id=CAMPAIGN, status=campaign_pb.Campaign.STATUS_STOP)

    async def ResolveAttempts(
        self, request: campaign_pb.ResolveAttemptsRequest, context: Any
    ) -> campaign_pb.ResolveAttemptsResponse:
        require_role(Role.OUTDIAL)
        state = campaign_pb.AttemptResolution.STATE_NEVER_OPENED
        return campaign_pb.ResolveAttemptsResponse(
            resolutions=[
                campaign_pb.AttemptResolution(id=each, state=state) for each in request.ids
            ]
        )


@dataclass
class Process:
    """A running process, as its callers see it, and what it publishes."""

    customer: outdial_grpc.OutdialServiceStub
    dialer: outdial_grpc.OutdialServiceStub
    campaign: outdial_grpc.OutdialServiceStub
    bus: Bus
    database_url: str
    published: asyncio.Queue[Received]
    names: list[str] = field(default_factory=list)

    async def event(self, name: str) -> bytes:
        """Data of the next event of this name, for example `target.updated`."""
        async with asyncio.timeout(10):
            while True:
                message = await self.published.get()
                for each in message.events:
                    self.names.append(f"{each.resource}.{each.event}")
                    if self.names[-1] == name:
                        return each.data

    async def outdial(self) -> outdial_pb.Outdial:
        """A new outdial bound to the campaign."""
        with acting_for(CUSTOMER):
            request = outdial_pb.CreateOutdialRequest(name="list", campaign_id=CAMPAIGN)
            return await self.customer.CreateOutdial(request)

    async def add(self, outdial_id: str, *numbers: str) -> list[outdial_pb.Target]:
        """New targets with these numbers."""
        targets = [
            outdial_pb.NewTarget(destinations=[address_pb.Address(target=each)]) for each in numbers
        ]
        with acting_for(CUSTOMER):
            request = outdial_pb.AddTargetsRequest(outdial_id=outdial_id, targets=targets)
            return list((await self.customer.AddTargets(request)).targets)

    async def claim(self, outdial_id: str, plan: outdial_pb.ClaimPlan = PLAN) -> Any:
        """A claim of up to ten targets."""
        return await self.dialer.ClaimTargets(
            outdial_pb.ClaimTargetsRequest(
                claim_id=str(new_id()),
                outdial_id=outdial_id,
                campaign_id=CAMPAIGN,
                limit=10,
                plan=plan,
            )
        )

    async def publish(self, resource: str, event: str, resource_id: str, data: Any) -> None:
        """Tell the process a fact, as the campaign process would."""
        batch = batch_pb.EventBatch(customer_id=str(CUSTOMER), resource=resource, event=event)
        added = batch.events.add(id=str(new_id()), resource_id=resource_id, revision=1)
        added.tm_event.FromDatetime(datetime(2026, 3, 2, tzinfo=UTC))
        added.data.Pack(data)
        await self.bus.publish(
            subject(CUSTOMER, resource, event), batch.SerializeToString(), added.id
        )


@asynccontextmanager
async def running(parts: ServerParts) -> AsyncIterator[Server]:
    server = Server(parts)
    await server.start()
    task = asyncio.create_task(server.run())
    try:
        await server.wait_serving()
        yield server
    finally:
        server.stop()
        await task


@asynccontextmanager
async def serving(
    folder: Path, database_url: str, nats_url: str
) -> AsyncIterator[tuple[Server, Callable[[Role], Channels]]]:
    keys = {role: generate_key_pair() for role in ROLES}
    (folder / "key.pem").write_text(keys[Role.OUTDIAL].private_pem)
    trusted = {
        str(role): {"role": str(role), "public_key": pair.public_key} for role, pair in keys.items()
    }
    (folder / "trusted.json").write_text(json.dumps(trusted))
    add_campaign = campaign_grpc.add_CampaignServiceServicer_to_server
    campaign = ServerParts(
        name="campaign",
        listen="127.0.0.1:0",
        verifier=TokenVerifier.from_file(folder / "trusted.json", "campaign"),
        servicers=[
            # The methods it leaves out answer UNIMPLEMENTED.
            (add_campaign, CampaignServicer()),  # type: ignore[abstract]
        ],
    )
    async with running(campaign) as campaign_server:
        settings = OutdialSettings(
            database_url=database_url,
            nats_url=nats_url,
            key_file=str(folder / "key.pem"),
            trusted_keys_file=str(folder / "trusted.json"),
            campaign_address=campaign_server.address,
            upkeep_seconds=0.05,
        )
        async with running(await app.build(settings)) as server:
            yield server, lambda role: Channels(TokenIssuer(str(role), keys[role].private_pem))
