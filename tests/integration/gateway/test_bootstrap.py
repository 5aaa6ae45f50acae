"""The first customer of a deployment, and every further one."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.bootstrap import Bootstrapper
from gateway.config import GatewaySettings
from gateway.storage import Accounts
from services.common.clock import SystemClock
from services.common.db import create_engine
from services.common.errors import AlreadyExists, AppError, Unavailable
from tests.integration.gateway.conftest import System

GENERATED = {"bootstrap_access_key": "", "bootstrap_password": ""}


class Agents:
    """An agent service that fails as told, then works."""

    def __init__(self, *failures: AppError) -> None:
        self.failures = list(failures)
        self.made: list[Any] = []

    async def call(self, rpc: Any, request: Any, identity: Any) -> Any:
        if self.failures:
            raise self.failures.pop(0)
        self.made.append((request.id, request.username, request.password))
        return request


def bootstrapper(settings: Any, accounts: Accounts, agents: Any) -> Bootstrapper:
    return Bootstrapper(accounts, agents, SystemClock(), settings)


@pytest.fixture
async def accounts(database: Any) -> Any:
    engine = create_engine(database("gateway"), "gateway")
    yield Accounts(engine)
    await engine.dispose()


@pytest.fixture
def generating(settings: dict[str, Any]) -> Any:
    return GatewaySettings(**{**settings, **GENERATED})


async def test_a_crash_at_any_step_changes_nothing_in_the_end(
    accounts: Accounts, generating: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    agents = Agents(Unavailable("down"), Unavailable("down"))
    for _ in range(2):
        made = bootstrapper(generating, accounts, agents)
        with pytest.raises(Unavailable):
            await made.make()
        with pytest.raises(Unavailable):
            await made.check()
    first, last = (bootstrapper(generating, accounts, agents) for _ in "ab")
    for made in (first, last):
        await made.make()
        await made.check()
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line[0] == "{"]
    told = [line for line in told if line["event"] == "credentials_generated"]
    assert len(told) == 1
    assert (told[0]["access_key"], told[0]["password"]) == (last.access_key, last.password)
    assert [(name, word) for _, name, word in agents.made] == [
        (generating.bootstrap_username, last.password)
    ]


async def test_several_gateways_make_one_customer(accounts: Accounts, generating: Any) -> None:
    agents = Agents()
    await asyncio.gather(*(bootstrapper(generating, accounts, agents).make() for _ in range(4)))
    assert len({agent_id for agent_id, _, _ in agents.made}) == 1


async def test_a_taken_username_does_not_keep_the_gateway_down(
    accounts: Accounts, generating: Any
) -> None:
    made = bootstrapper(generating, accounts, Agents(AlreadyExists("taken")))
    await made.make()
    await made.check()


async def test_the_admin_command_makes_a_customer(system: System) -> None:
    environment = {
        f"OUTBOUND_{name.upper()}": (
            value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        )
        for name, value in system.settings
        if name not in ("clock_real_epoch", "clock_virtual_epoch")
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.admin", "create-customer"),
        *("--name", "Second", "--username", "second@example.com", "--password-stdin"),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(b"a long password\n")
    assert process.returncode == 0, errors.decode()
    made = json.loads(output)
    own = {"headers": {"Authorization": f"Bearer {made['access_key']}"}}
    assert (await system.ok("GET", "/customer", **own))["name"] == "Second"
    login = {"username": "second@example.com", "password": "a long password"}
    await system.ok("POST", "/auth/login", login, headers={})
