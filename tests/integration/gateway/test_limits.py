"""Rates, sizes and times, and what happens when PostgreSQL or NATS are away."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.embedded.nats import Nats
from cli.embedded.postgres import Postgres
from gateway.app import build
from gateway.config import GatewaySettings
from services.common.migrate import migrate
from tests.integration.gateway.conftest import (
    ACCESS_KEY,
    System,
    addresses,
    ready,
    until,
)
from tests.support.backends import Backends, running

CHANGES: dict[str, dict[str, Any]] = {
    "customer_rate": {"rate_customer_per_second": 1.0, "rate_customer_burst": 3},
    "address_rate": {"rate_ip_per_second": 1.0, "rate_ip_burst": 5},
    "header": {"header_bytes": 4096, "header_seconds": 0.5},
    "slow_body": {"body_seconds": 0.3},
    "generated": {"bootstrap_access_key": "", "bootstrap_password": ""},
}


@pytest.fixture
def changes(request: pytest.FixtureRequest) -> dict[str, Any]:
    return next((found for word, found in CHANGES.items() if word in request.node.name), {})


async def test_the_customer_rate_is_a_429_with_retry_after(system: System) -> None:
    for _ in range(3):
        await system.ok("GET", "/customer")
    answer = await system.http.get(f"/customer?token={ACCESS_KEY}")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    error = answer.json()["error"]
    assert (error["status"], error["reason"]) == ("RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
    assert error["details"][0]["limited_by"] == "customer"
    # Imports are exempt.
    await system.refused(400, "POST", "/outdials/x/targets/import")


async def test_the_address_rate_counts_before_anything_else(system: System) -> None:
    answers = [await system.http.get("/nothing") for _ in range(8)]
    assert {answer.status_code for answer in answers} == {404}
    answers = [await system.http.get("/campaigns") for _ in range(8)]
    assert answers[-1].status_code == 429
    assert answers[-1].json()["error"]["details"][0]["limited_by"] == "ip"


async def raw(system: System, *parts: bytes, pause: float = 0.0) -> bytes:
    """What the gateway answers to these bytes, until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", system.gateway.http.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_too_large_headers_are_refused(system: System) -> None:
    await system.ok(
        "GET", "/customer", headers={"X-Fill": "x" * 2000, "Cookie": f"token={ACCESS_KEY}"}
    )
    answer = await raw(system, b"GET / HTTP/1.1\r\nHost: a\r\nX: ", *[b"x" * 1000] * 6)
    assert answer.startswith(b"HTTP/1.1 400") or answer == b""


async def test_too_large_headers_in_one_piece_are_refused(system: System) -> None:
    head = b"GET /ping HTTP/1.1\r\nHost: a\r\nX-Fill: " + b"x" * 5000 + b"\r\n\r\n"
    assert "too large" in envelope(await raw(system, head))["message"]


@pytest.mark.parametrize(
    "length", [b"abc", b"-5", b"99999999999999999999", b"2\r\nContent-Length: 3"]
)
async def test_what_is_not_http_gets_the_envelope_too(system: System, length: bytes) -> None:
    head = b"POST /tags HTTP/1.1\r\nHost: a\r\nContent-Length: " + length + b"\r\n\r\n{}"
    assert envelope(await raw(system, head))["status"] == "INVALID_ARGUMENT"


def envelope(answer: bytes) -> dict[str, Any]:
    """The error of a raw 400, whose request id is also in the header."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    error: dict[str, Any] = json.loads(body)["error"]
    assert f"x-request-id: {error['request_id']}" in head.decode().lower()
    return error


async def test_a_header_that_never_ends_is_cut_off(system: System) -> None:
    assert await raw(system) == b""
    assert await raw(system, b"GET / HTTP/1.1\r\n", b"Host: a\r\n", pause=0.4) == b""


async def test_a_slow_body_is_given_up(system: System) -> None:
    head = (
        b"POST /campaigns HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nConnection: close\r\n"
        b"Authorization: Bearer " + ACCESS_KEY.encode() + b"\r\n\r\n"
    )
    answer = await raw(system, head, b"{")
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"REQUEST_TIMEOUT" in answer


async def test_generated_credentials_are_told_once(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    await system.gateway.bootstrapper.make()
    printed = [
        json.loads(line)
        for line in capsys.readouterr().out.splitlines()
        if "credentials_generated" in line
    ]
    made = system.gateway.bootstrapper
    assert len(printed) <= 1
    login = {"username": system.settings.bootstrap_username, "password": made.password}
    await system.ok("POST", "/auth/login", login, headers={})
    await system.ok("GET", f"/customer?token={made.access_key}", headers={})


async def test_health_names_the_process_that_does_not_serve(system: System) -> None:
    health = await system.ok("GET", "/v1.0/health", headers={})
    serving = dict.fromkeys(("campaign", "outdial", "queue", "dialer"), "serving")
    assert health == {"status": "ready", "upstreams": serving}
    await system.processes.stop("outdial")
    refusal = await system.refused(503, "GET", "/v1.0/health", headers={})
    assert refusal["message"] == "not serving: outdial"
    await system.processes.start("outdial")
    await ready(system.http)


async def test_another_dialer_answers_when_one_is_away(
    settings: dict[str, Any],
) -> None:
    backends = Backends()
    async with running(backends, settings["trusted"]) as processes:
        dead = "127.0.0.1:1"
        made = GatewaySettings(
            **{
                **settings,
                **addresses(processes),
                "dialer_address": f"{dead}, {processes.addresses['dialer']}",
            }
        )
        gateway = await build(made)
        serving = asyncio.create_task(gateway.run())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.http.port}") as http:
            await ready(http)
            for _ in range(2):
                answer = await http.get(f"/calls?token={ACCESS_KEY}")
                assert answer.status_code == 200
        gateway.stop()
        await serving


async def halt(postgres: Postgres) -> None:
    """End the server as somebody else would, so that it can come back at the same address."""
    os.kill(postgres.pid, signal.SIGINT)
    await until(lambda: not postgres.is_running(), 10)


async def test_postgres_and_nats_may_come_late_and_go_away(
    settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = Path("/tmp") / tmp_path_factory.mktemp("late").name
    folder.mkdir(mode=0o755, exist_ok=True)
    postgres, nats = Postgres(folder / "postgres", fsync=False), Nats(folder / "nats")
    await asyncio.to_thread(postgres.start)
    await migrate(postgres.url(), "gateway")
    url = postgres.url()
    await asyncio.to_thread(nats.start)
    nats_url = nats.url()
    await asyncio.to_thread(nats.stop)
    await halt(postgres)
    async with running(Backends(), settings["trusted"]) as processes:
        changed = {"database_url": url, "nats_url": nats_url, **addresses(processes)}
        gateway = await build(GatewaySettings(**{**settings, **changed}))
        serving = asyncio.create_task(gateway.run())
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.http.port}") as http:
            try:
                for path in ("/health", f"/campaigns?token={ACCESS_KEY}"):
                    answer = await http.get(path, timeout=10)
                    assert answer.status_code == 503, answer.text
                    assert answer.json()["error"]["reason"] == "SERVICE_UNAVAILABLE"
                assert (await http.get("/ping")).status_code == 200
                await asyncio.to_thread(postgres.start)
                await ready(http)
                assert (await http.get(f"/campaigns?token={ACCESS_KEY}")).status_code == 200
                assert not gateway.bus.is_connected
                await asyncio.to_thread(nats.start)
                await until(lambda: gateway.bus.is_connected, 10)
                await halt(postgres)
                await asyncio.sleep(2.1)
                answer = await http.get(f"/campaigns?token={ACCESS_KEY}", timeout=10)
                assert answer.status_code == 503
            finally:
                gateway.stop()
                await serving
                await asyncio.to_thread(nats.stop)
                await asyncio.to_thread(postgres.stop)
