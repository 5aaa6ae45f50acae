"""Calls to the services, made for a customer, with the retries that are safe.

Everything the gateway asks for is idempotent: reads, merges, and creates by an id it has chosen. So a
lost race is repeated for every method, and a lost connection for reads and creates. Of several
dialers the one that answered last is asked first and the next one when it is not available.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2 as health_pb
from grpc_health.v1 import health_pb2_grpc as health_grpc
from outbound.agent.v1 import agent_service_pb2_grpc as agent_grpc
from outbound.campaign.v1 import campaign_service_pb2_grpc as campaign_grpc
from outbound.dialer.v1 import dialer_service_pb2_grpc as dialer_grpc
from outbound.flow.v1 import flow_service_pb2_grpc as flow_grpc
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc
from outbound.outplan.v1 import outplan_service_pb2_grpc as outplan_grpc
from outbound.queue.v1 import queue_service_pb2_grpc as queue_grpc

from gateway.config import GatewaySettings
from gateway.identity import Identity
from services.common.auth import acting_for
from services.common.clients import Channels
from services.common.errors import Aborted, AppError, Unavailable

STUBS: Final[Mapping[str, tuple[str, Callable[[grpc.aio.Channel], Any]]]] = {
    "campaign": ("campaign", campaign_grpc.CampaignServiceStub),
    "outplan": ("campaign", outplan_grpc.OutplanServiceStub),
    "flow": ("campaign", flow_grpc.FlowServiceStub),
    "outdial": ("outdial", outdial_grpc.OutdialServiceStub),
    "queue": ("queue", queue_grpc.QueueServiceStub),
    "agent": ("queue", agent_grpc.AgentServiceStub),
    "dialer": ("dialer", dialer_grpc.DialerServiceStub),
}
"""gRPC service -> the process that hosts it (also the tokens' audience) and its stub."""

_RACES = 3
_HEALTH_SECONDS = 2.0
"""A process that says nothing for so long does not serve."""
_REPEATED_AFTER_LOSS = ("Get", "List", "Create", "AddTargets", "VerifyPassword")


@dataclass(frozen=True, slots=True)
class Rpc:
    """A unary method of a service, by name."""

    service: str
    method: str


class Upstreams:
    """The services as the gateway sees them."""

    def __init__(self, channels: Channels, settings: GatewaySettings) -> None:
        addresses = {
            "campaign": [settings.campaign_address],
            "outdial": [settings.outdial_address],
            "queue": [settings.queue_address],
            "dialer": [each.strip() for each in settings.dialer_address.split(",") if each.strip()],
        }
        self._channels = {
            process: [channels.channel(address, process) for address in found]
            for process, found in addresses.items()
        }
        self._stubs = {
            service: [make(channel) for channel in self._channels[process]]
            for service, (process, make) in STUBS.items()
        }
        self._preferred = dict.fromkeys(STUBS, 0)

    async def call(self, rpc: Rpc, request: Any, identity: Identity | None) -> Any:
        """The method's response; an AppError when it fails, Unavailable when nobody answers."""
        repeats = _RACES
        while True:
            repeats -= 1
            try:
                return await self._one_of(rpc, request, identity)
            except Aborted:
                if not repeats:
                    raise
            except Unavailable as exc:
                is_safe = rpc.method.startswith(_REPEATED_AFTER_LOSS)
                if not repeats or not is_safe or exc.reason != Unavailable.default_reason:
                    raise
                repeats = min(repeats, 1)
            await asyncio.sleep(random.uniform(0.01, 0.1))

    async def import_targets(self, requests: AsyncIterator[Any], identity: Identity) -> Any:
        """Stream a list to the outdial service; its ImportResult. Has no deadline."""
        with _acting(identity):
            return await self._stubs["outdial"][0].ImportTargets(requests)

    def stream(self, rpc: Rpc, request: Any, identity: Identity) -> AsyncIterator[Any]:
        """The responses of a server-streaming method."""
        with _acting(identity):
            stream: AsyncIterator[Any] = aiter(
                getattr(self._stubs[rpc.service][0], rpc.method)(request)
            )
            return stream

    async def begun_stream(self, rpc: Rpc, request: Any, identity: Identity) -> AsyncIterator[Any]:
        """The responses of a server-streaming method whose first one has come.

        An AppError when it fails before; of several addresses the next one is tried when one is not
        available.
        """
        stubs = self._stubs[rpc.service]
        first = self._preferred[rpc.service]
        for tried in range(len(stubs)):
            with _acting(identity):
                stream = aiter(getattr(stubs[(first + tried) % len(stubs)], rpc.method)(request))
            try:
                begin = await anext(stream, None)
            except Unavailable:
                if tried == len(stubs) - 1:
                    raise
                continue
            return _joined(begin, stream)
        raise Unavailable(f"{rpc.service} has no address")

    async def health(self) -> dict[str, bool]:
        """Whether each process serves; of several replicas one is enough."""
        serving = await asyncio.gather(*map(_any_serves, self._channels.values()))
        return dict(zip(self._channels, serving, strict=True))

    async def _one_of(self, rpc: Rpc, request: Any, identity: Identity | None) -> Any:
        stubs = self._stubs[rpc.service]
        first = self._preferred[rpc.service]
        for tried in range(len(stubs)):
            chosen = (first + tried) % len(stubs)
            try:
                with _acting(identity):
                    response = await getattr(stubs[chosen], rpc.method)(request)
            except Unavailable:
                if tried == len(stubs) - 1:
                    raise
                continue
            self._preferred[rpc.service] = chosen
            return response
        raise Unavailable(f"{rpc.service} has no address")


async def _any_serves(channels: Sequence[grpc.aio.Channel]) -> bool:
    return any(await asyncio.gather(*map(_serves, channels)))


async def _serves(channel: grpc.aio.Channel) -> bool:
    check = health_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
    try:
        answer = await check(health_pb.HealthCheckRequest(), timeout=_HEALTH_SECONDS)
    except AppError:
        return False
    return bool(answer.status == health_pb.HealthCheckResponse.SERVING)


async def _joined(first: Any, rest: AsyncIterator[Any]) -> AsyncIterator[Any]:
    if first is None:
        return
    yield first
    async for each in rest:
        yield each


def _acting(identity: Identity | None) -> Any:
    if identity is None:
        return nullcontext()
    return acting_for(identity.customer_id, identity.agent_id, identity.permissions)
