"""The real services, network process, PostgreSQL and NATS, in one event loop, for dialer tests.

Domain time is real time; people ring and talk for fractions of a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from outbound.agent.v1 import agent_service_pb2 as agent_pb
from outbound.agent.v1 import agent_service_pb2_grpc as agent_grpc
from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc
from outbound.common.v1 import action_pb2 as action_pb
from outbound.common.v1 import address_pb2 as address_pb
from outbound.dialer.v1 import dialer_service_pb2_grpc as dialer_grpc
from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc
from outbound.outplan.v1 import outplan_service_pb2 as outplan_pb
from outbound.outplan.v1 import outplan_service_pb2_grpc as outplan_grpc
from outbound.queue.v1 import queue_service_pb2 as queue_pb
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from services.campaign import app as campaign_app
from services.campaign.config import CampaignSettings
from services.common.auth import (
    acting_for,
)
from services.common.clients import Channels
from services.common.errors import Unavailable
from services.common.ids import new_id
from services.common.server import Server, ServerParts
from services.dialer import app as dialer_app
from services.dialer.config import DialerSettings
from services.outdial import app as outdial_app
from services.outdial.config import OutdialSettings
from services.queue import app as queue_app
from services.queue.config import QueueSettings
from tests.fixtures.simnet import SimnetProcess
from tests.integration.dialer.props import (
    PROFILE,
    WAIT_SECONDS,
    free_port,
    until,
    write_keys,
)


@dataclass
class Running:
    """One process's inside and the task it runs in."""

    server: Server
    task: asyncio.Task[None]

    async def stop(self) -> None:
        """End it in order."""
        self.server.stop()
        await self.task

    async def kill(self) -> None:
        """End it without any of its courtesies."""
        self.task.cancel()
        await asyncio.wait({self.task})


@dataclass
class World:
    """Everything that runs, and stubs that act for one customer."""

    folder: Path
    database_url: str
    nats_url: str
    simnet: SimnetProcess
    ports: dict[str, int]
    channels: Channels
    customer_id: UUID = field(default_factory=new_id)
    dialers: dict[str, Running] = field(default_factory=dict)

    def __post_init__(self) -> None:
        def channel(name: str) -> Any:
            return self.channels.channel(self.address(name), name)

        self.campaigns: Any = campaign_grpc.CampaignServiceStub(channel("campaign"))
        self.outplans: Any = outplan_grpc.OutplanServiceStub(channel("campaign"))
        self.outdials: Any = outdial_grpc.OutdialServiceStub(channel("outdial"))
        self.queues: Any = queue_grpc.QueueServiceStub(channel("queue"))
        self.agents: Any = agent_grpc.AgentServiceStub(channel("queue"))

    def address(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"

    def dialer_stub(self, name: str) -> Any:
        """DialerService of one dialer."""
        return dialer_grpc.DialerServiceStub(self.channels.channel(self.address(name), "dialer"))

    def common(self, service: str) -> dict[str, Any]:
        """Settings of every process."""
        name = "dialer" if service.startswith("dialer") else service
        return {
            "database_url": self.database_url,
            "nats_url": self.nats_url,
            "grpc_listen": self.address(service),
            "metrics_listen": "",
            "drain_seconds": 1.0,
            "key_file": str(self.folder / f"{name}.pem"),
            "trusted_keys_file": str(self.folder / "trusted.json"),
        }

    async def start_dialer(self, name: str = "dialer-1", **settings: Any) -> Running:
        """A dialer, serving."""
        self.ports.setdefault(name, free_port())
        parts = await dialer_app.build(
            DialerSettings(
                **self.common(name),
                dialer_id=name,
                campaign_address=self.address("campaign"),
                outdial_address=self.address("outdial"),
                queue_address=self.address("queue"),
                simnet_address=self.simnet.address,
                **settings,
            )
        )
        running = self.dialers[name] = await start(parts)
        await running.server.wait_serving()
        return running

    # ------------------------------------------------------------------------------ resources

    async def make_campaign(
        self,
        numbers: Sequence[str],
        *,
        actions: Sequence[tuple[str, str]] = (("talk", '{"text": "hello"}'),),
        max_tries: int = 1,
        try_interval_ms: int = 100,
        dial_timeout_ms: int = 2_000,
        queue_id: str = "",
        service_level: int = 100,
        calls_per_second: float = 1000.0,
        max_concurrent: int = 1000,
        continues: bool = False,
        agent_wait_limit: int = 0,
        abandonment: Sequence[tuple[str, str]] = (),
    ) -> str:
        """A campaign ready to run; its id."""
        with acting_for(self.customer_id):
            outplan = await self.outplans.CreateOutplan(
                outplan_pb.CreateOutplanRequest(
                    name="plan",
                    dial_timeout=dial_timeout_ms,
                    try_interval=try_interval_ms,
                    max_try_counts=outplan_pb.MaxTryCounts(slot_0=max_tries),
                    calls_per_second=calls_per_second,
                    max_concurrent=max_concurrent,
                )
            )
            outdial = await self.outdials.CreateOutdial(outdial_pb.CreateOutdialRequest(name="o"))
            if numbers:
                await self.add_targets(outdial.id, numbers)
            ending = campaign_pb.Campaign
            campaign = await self.campaigns.CreateCampaign(
                campaign_pb.CreateCampaignRequest(
                    name="c",
                    service_level=service_level,
                    end_handle=ending.END_HANDLE_CONTINUE if continues else ending.END_HANDLE_STOP,
                    actions=[
                        action_pb.Action(type=word, option_json=option) for word, option in actions
                    ],
                    outplan_id=outplan.id,
                    outdial_id=outdial.id,
                    queue_id=queue_id,
                    agent_wait_limit=agent_wait_limit,
                    abandonment_actions=[
                        action_pb.Action(type=word, option_json=option)
                        for word, option in abandonment
                    ],
                )
            )
        return str(campaign.id)

    async def add_targets(self, outdial_id: str, numbers: Sequence[str]) -> None:
        with acting_for(self.customer_id):
            for start_at in range(0, len(numbers), 1000):
                await self.outdials.AddTargets(
                    outdial_pb.AddTargetsRequest(
                        outdial_id=outdial_id,
                        targets=[
                            outdial_pb.NewTarget(
                                name=number,
                                data='{"city": "Seoul"}',
                                destinations=[address_pb.Address(type="tel", target=number)],
                            )
                            for number in numbers[start_at : start_at + 1000]
                        ],
                    )
                )

    async def make_queue(self, agent_numbers: Sequence[str], **settings: Any) -> str:
        """A queue with one available agent per number; its id."""
        with acting_for(self.customer_id):
            tag = await self.agents.CreateTag(agent_pb.CreateTagRequest(name=str(new_id())))
            queue = await self.queues.CreateQueue(
                queue_pb.CreateQueueRequest(name="q", tag_ids=[tag.id], **settings)
            )
            for number in agent_numbers:
                await self.make_agent(number, tag.id)
        return str(queue.id)

    async def make_agent(self, number: str, tag_id: str, status: str = "available") -> str:
        with acting_for(self.customer_id):
            agent = await self.agents.CreateAgent(
                agent_pb.CreateAgentRequest(
                    username=f"{new_id()}@example.com",
                    password="correct horse battery",
                    tag_ids=[tag_id],
                    addresses=[address_pb.Address(type="tel", target=number)],
                )
            )
            await self.agents.UpdateAgent(agent_pb.UpdateAgentRequest(id=agent.id, status=status))
        return str(agent.id)

    async def set_status(
        self,
        campaign_id: str,
        status: campaign_pb.Campaign.Status,
        mode: campaign_pb.StopMode = campaign_pb.STOP_MODE_UNSPECIFIED,
    ) -> None:
        with acting_for(self.customer_id):
            await self.campaigns.SetCampaignStatus(
                campaign_pb.SetCampaignStatusRequest(id=campaign_id, status=status, stop_mode=mode)
            )

    async def start(self, campaign_id: str) -> None:
        await self.set_status(campaign_id, campaign_pb.Campaign.STATUS_RUN)

    async def stop(
        self, campaign_id: str, mode: campaign_pb.StopMode = campaign_pb.STOP_MODE_HANGUP
    ) -> None:
        await self.set_status(campaign_id, campaign_pb.Campaign.STATUS_STOP, mode)

    async def campaign(self, campaign_id: str) -> Any:
        with acting_for(self.customer_id):
            return await self.campaigns.GetCampaign(campaign_pb.GetCampaignRequest(id=campaign_id))

    async def stats(self, campaign_id: str) -> Any:
        with acting_for(self.customer_id):
            return await self.campaigns.GetCampaignStats(
                campaign_pb.GetCampaignStatsRequest(id=campaign_id)
            )

    async def attempts(self, campaign_id: str) -> list[Any]:
        """Every attempt, oldest first."""
        found: list[Any] = []
        token = ""
        with acting_for(self.customer_id):
            while True:
                page = await self.campaigns.ListCampaigncalls(
                    campaign_pb.ListCampaigncallsRequest(campaign_id=campaign_id, page_token=token)
                )
                if not page.campaigncalls:
                    return found[::-1]
                found += page.campaigncalls
                token = page.next_page_token

    async def finished(self, campaign_id: str, seconds: float = WAIT_SECONDS) -> Any:
        """The campaign's stats once it has finished."""

        async def is_finished() -> bool:
            try:
                campaign = await self.campaign(campaign_id)
            except Unavailable:
                return False  # A machine may stand still for longer than a call's deadline.
            return bool(campaign.state == campaign_pb.Campaign.STATE_FINISHED)

        await until(is_finished, "the end of the campaign", seconds)
        return await self.stats(campaign_id)

    async def stopped(self, campaign_id: str) -> Any:
        """The campaign's stats once it stands still."""

        async def is_stopped() -> bool:
            campaign = await self.campaign(campaign_id)
            return bool(campaign.status == campaign_pb.Campaign.STATUS_STOP)

        await until(is_stopped, "the stop of the campaign")
        return await self.stats(campaign_id)


async def start(parts: ServerParts) -> Running:
    server = Server(parts)
    await server.start()
    return Running(server, asyncio.create_task(server.run(), name=parts.name))


@asynccontextmanager
async def world(
    folder: Path, database_url: str, nats_url: str, simnet: SimnetProcess
) -> AsyncIterator[World]:
    """Everything but the dialers, running."""
    issuer = write_keys(folder)
    if not simnet.port:
        simnet.configure(PROFILE)
        await simnet.start()
    channels = Channels(issuer)
    ports = {name: free_port() for name in ("campaign", "outdial", "queue")}
    made = World(folder, database_url, nats_url, simnet, ports, channels)
    campaign = CampaignSettings(
        **made.common("campaign"),
        outdial_address=made.address("outdial"),
        queue_address=made.address("queue"),
    )
    queue = QueueSettings(**made.common("queue"), campaign_address=made.address("campaign"))
    outdial = OutdialSettings(**made.common("outdial"), campaign_address=made.address("campaign"))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(channels.close)
        for parts in (
            await queue_app.build(queue),
            await outdial_app.build(outdial),
            await campaign_app.build(campaign),
        ):
            running = await start(parts)
            stack.push_async_callback(running.stop)
            await running.server.wait_serving()
        try:
            yield made
        finally:
            for dialer in made.dialers.values():
                if not dialer.task.done():
                    await dialer.stop()
