"""The first customer of a new deployment: made once, by whichever gateway starts first.

Credentials come from the configuration or are derived from the login secret, so every step may be
repeated after a crash and gives the same result: customer and key in one transaction, then the line
that tells of generated credentials, then the administrator in the agent service.
"""

from __future__ import annotations

import asyncio
import json
import sys
from uuid import UUID

from outbound.agent.v1 import agent_service_pb2 as agent_pb

from gateway.accounts import MOST_EXPIRE, new_access_key
from gateway.config import GatewaySettings
from gateway.credentials import derived_key, derived_text
from gateway.identity import Customer, Identity, IdentityKind, Permission
from gateway.storage import Accounts, Bootstrap
from gateway.upstreams import Rpc, Upstreams
from services.common.backoff import keep_running
from services.common.clock import Clock
from services.common.errors import AlreadyExists, Unavailable
from services.common.ids import new_id
from services.common.log import get_logger

_EVENT = "credentials_generated"


class Bootstrapper:
    """Makes the first customer in the background; until then the gateway is not ready."""

    def __init__(
        self,
        accounts: Accounts,
        upstreams: Upstreams,
        clock: Clock,
        settings: GatewaySettings,
    ) -> None:
        self._accounts = accounts
        self._upstreams = upstreams
        self._clock = clock
        self._settings = settings
        secret = settings.login_secret.get_secret_value()
        key, password = settings.bootstrap_access_key, settings.bootstrap_password
        self.access_key = key.get_secret_value() or derived_key(secret, "bootstrap key")
        self.password = password.get_secret_value() or derived_text(
            secret, "bootstrap password", 20
        )
        self._done = asyncio.Event()

    async def check(self) -> None:
        """Raise Unavailable until the first customer is there with its administrator."""
        if not self._done.is_set():
            raise Unavailable("the first customer is being made", retry_after=1.0)

    async def run(self) -> None:
        """Work until everything is there, through outages; then wait for ever."""
        await keep_running("bootstrap", self.make)
        await asyncio.Event().wait()

    async def make(self) -> None:
        """Do what is still to be done; harmless when nothing is."""
        state = await self._begin()
        if state is not None:
            if not state.is_announced:
                self._announce(state)
                await self._accounts.mark_bootstrap(announced=True)
            if not state.is_agent_created:
                await self._create_agent(state)
                await self._accounts.mark_bootstrap(agent_created=True)
        self._done.set()

    async def _begin(self) -> Bootstrap | None:
        now = self._clock.now()
        customer = Customer(new_id(), "Outbound", "", "", "", "", now, None, None)
        key = new_access_key(
            new_id(), customer.id, "bootstrap", "", self.access_key, MOST_EXPIRE, now
        )
        return await self._accounts.begin_bootstrap(customer, key, new_id())

    def _announce(self, state: Bootstrap) -> None:
        settings = self._settings
        generated = {}
        if not settings.bootstrap_access_key:
            generated["access_key"] = self.access_key
        if not settings.bootstrap_password:
            generated["password"] = self.password
        if generated:
            # To standard output and not to the log: these are secrets somebody has to read once.
            line = {
                "event": _EVENT,
                "customer_id": str(state.customer_id),
                "username": settings.bootstrap_username,
                **generated,
            }
            print(json.dumps(line), file=sys.stdout, flush=True)

    async def _create_agent(self, state: Bootstrap) -> None:
        username = self._settings.bootstrap_username
        try:
            await create_administrator(
                self._upstreams, state.customer_id, state.agent_id, username, self.password
            )
        except AlreadyExists:
            # The gateway's database is new but the agents' is not. The access key works all the same.
            get_logger().error("bootstrap_username_taken", username=username)
            return
        get_logger().info("first_customer_ready", customer_id=str(state.customer_id))


async def create_administrator(
    upstreams: Upstreams, customer_id: UUID, agent_id: UUID, username: str, password: str
) -> agent_pb.Agent:
    """The administrator of a customer; making it again with the same values changes nothing."""
    acting = Identity(IdentityKind.AGENT, agent_id, customer_id, Permission.ADMIN, "")
    agent: agent_pb.Agent = await upstreams.call(
        Rpc("agent", "CreateAgent"),
        agent_pb.CreateAgentRequest(
            id=str(agent_id),
            username=username,
            password=password,
            name="Administrator",
            permission=int(Permission.ADMIN | Permission.AGENT),
        ),
        acting,
    )
    return agent
