"""The fake services as four processes on real gRPC servers, for a gateway in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from outbound.agent.v1 import agent_service_pb2_grpc as agent_grpc
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc
from outbound.dialer.v1 import dialer_service_pb2_grpc as dialer_grpc
from outbound.flow.v1 import flow_service_pb2_grpc as flow_grpc
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc
from outbound.outplan.v1 import outplan_service_pb2_grpc as outplan_grpc
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from services.common.auth import TokenVerifier, trusted_keys
from services.common.server import Server, ServerParts
from tests.support.backend_state import Backends
from tests.support.fake_outdial import FakeOutdials
from tests.support.fake_services import (
    FakeAgents,
    FakeCampaigns,
    FakeDialer,
    FakeFlows,
    FakeOutplans,
    FakeQueues,
)

__all__ = ["Backends", "Processes", "running"]

_PROCESSES: dict[str, list[tuple[Any, type[Any]]]] = {
    "campaign": [
        (campaign_grpc.add_CampaignServiceServicer_to_server, FakeCampaigns),
        (outplan_grpc.add_OutplanServiceServicer_to_server, FakeOutplans),
        (flow_grpc.add_FlowServiceServicer_to_server, FakeFlows),
    ],
    "outdial": [(outdial_grpc.add_OutdialServiceServicer_to_server, FakeOutdials)],
    "queue": [
        (queue_grpc.add_QueueServiceServicer_to_server, FakeQueues),
        (agent_grpc.add_AgentServiceServicer_to_server, FakeAgents),
    ],
    "dialer": [(dialer_grpc.add_DialerServiceServicer_to_server, FakeDialer)],
}


class Processes:
    """The four processes, each of which can be stopped and started again on its port."""

    def __init__(self, backends: Backends, trusted: str) -> None:
        self._backends = backends
        self._trusted = trusted
        self._running: dict[str, tuple[Server, asyncio.Task[None]]] = {}
        self.addresses: dict[str, str] = {}

    async def start(self, name: str) -> None:
        """Start one process, on its former port when it had one."""
        server = Server(
            ServerParts(
                name=name,
                listen=self.addresses.get(name, "127.0.0.1:0"),
                verifier=TokenVerifier(name, trusted_keys(self._trusted)),
                servicers=[(add, kind(self._backends)) for add, kind in _PROCESSES[name]],
                drain_seconds=0,
            )
        )
        await server.start()
        self.addresses[name] = server.address
        self._running[name] = (server, asyncio.create_task(server.run()))

    async def stop(self, name: str) -> None:
        """Stop one process."""
        server, task = self._running.pop(name)
        server.stop()
        await task

    async def stop_all(self) -> None:
        """Stop every process."""
        for name in list(self._running):
            await self.stop(name)


@asynccontextmanager
async def running(backends: Backends, trusted: str) -> AsyncIterator[Processes]:
    """All four processes, for callers whose keys are in the document `trusted`."""
    processes = Processes(backends, trusted)
    try:
        for name in _PROCESSES:
            await processes.start(name)
        yield processes
    finally:
        await processes.stop_all()
