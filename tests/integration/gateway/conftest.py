"""A gateway on real PostgreSQL and NATS, in front of fake services, with an HTTP client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.app import Gateway, build
from gateway.config import GatewaySettings
from services.common.auth import Role, generate_key_pair, trusted_keys_document
from tests.fixtures.postgres import DatabaseFactory
from tests.support.backends import Backends, Processes, running

ACCESS_KEY = "vb_" + "k" * 32
USERNAME = "admin@example.com"
PASSWORD = "correct horse"


@dataclass(slots=True)
class System:
    """Everything a test may want to touch."""

    settings: GatewaySettings
    gateway: Gateway
    backends: Backends
    processes: Processes
    http: httpx.AsyncClient

    async def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The JSON of a request that must succeed; authorised with the first customer's key."""
        options.setdefault("headers", {"Authorization": f"Bearer {ACCESS_KEY}"})
        if body is not None:
            options["json"] = body
        response = await self.http.request(method, path, **options)
        assert response.status_code == 200, response.text
        return response.json()

    async def refused(
        self, code: int, method: str, path: str, body: Any = None, **options: Any
    ) -> Any:
        """The `error` member of a request that must be refused with this code."""
        options.setdefault("headers", {"Authorization": f"Bearer {ACCESS_KEY}"})
        if body is not None:
            options["json"] = body
        response = await self.http.request(method, path, **options)
        assert response.status_code == code, response.text
        error = response.json()["error"]
        assert error["request_id"] == response.headers["x-request-id"]
        return error


@pytest.fixture
def settings(database: DatabaseFactory, nats_url: str, tmp_path: Path) -> dict[str, Any]:
    """Settings of a gateway but for the addresses of its services."""
    keys = generate_key_pair()
    (tmp_path / "key.pem").write_text(keys.private_pem)
    return {
        "database_url": database("gateway"),
        "nats_url": nats_url,
        "key_file": str(tmp_path / "key.pem"),
        # Not a setting of the gateway: what the fake services believe.
        "trusted": trusted_keys_document({"gateway": (Role.GATEWAY, keys.public_key)}),
        "http_listen": "127.0.0.1:0",
        "metrics_listen": "",
        "login_secret": "s" * 32,
        "bootstrap_access_key": ACCESS_KEY,
        "bootstrap_username": USERNAME,
        "bootstrap_password": PASSWORD,
        "drain_seconds": 2,
    }


@pytest.fixture
def changes() -> dict[str, Any]:
    """Settings a module changes by overriding this fixture."""
    return {}


@pytest.fixture
async def system(settings: dict[str, Any], changes: dict[str, Any]) -> AsyncIterator[System]:
    """A gateway that is ready."""
    backends = Backends()
    trusted = settings["trusted"]
    async with running(backends, trusted) as processes:
        made = GatewaySettings(**{**settings, **addresses(processes), **changes})
        gateway = await build(made)
        serving = asyncio.create_task(gateway.run())
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{gateway.http.port}", timeout=10
        ) as http:
            await ready(http)
            yield System(made, gateway, backends, processes, http)
        gateway.stop()
        await serving


async def until(condition: Callable[[], object], seconds: float = 5) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


def addresses(processes: Processes) -> dict[str, str]:
    """The settings that name the services."""
    return {f"{name}_address": address for name, address in processes.addresses.items()}


async def ready(http: httpx.AsyncClient) -> None:
    """Wait until the gateway is ready."""
    async with asyncio.timeout(10):
        while True:
            try:
                if (await http.get("/health")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)
