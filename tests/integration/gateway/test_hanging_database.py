"""A database that takes connections and answers nothing: nobody waits longer than was promised."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from tests.fixtures.tcp_proxy import TcpProxy
from tests.integration.gateway.conftest import System, ready

UNKNOWN = {"Authorization": "Bearer vb_" + "z" * 32}
"""A key that is not remembered, so that the database must be asked."""


@pytest.fixture
async def proxy(settings: dict[str, Any]) -> AsyncIterator[TcpProxy]:
    url = make_url(settings["database_url"])
    host, port = url.query.get("host", url.host), int(str(url.query.get("port", url.port or 5432)))
    made = TcpProxy(f"{host}/.s.PGSQL.{port}" if str(host).startswith("/") else port)
    await made.start()
    through = url.set(host="127.0.0.1", port=made.port, query={})
    settings["database_url"] = through.render_as_string(hide_password=False)
    yield made
    await made.cut()


@pytest.fixture
def changes(proxy: TcpProxy) -> dict[str, Any]:
    return {"request_seconds": 1.5}


async def test_requests_end_in_time_and_health_says_unready(
    system: System, proxy: TcpProxy
) -> None:
    await system.ok("GET", "/accesskeys")
    proxy.swallow()
    began = time.monotonic()
    errors = await asyncio.gather(
        system.refused(503, "GET", "/accesskeys"),
        system.refused(503, "GET", "/campaigns", headers=UNKNOWN),
        system.refused(503, "POST", "/accesskeys", {"expire": 86400}),
        system.refused(
            503, "POST", "/outdials/" + "1" * 32 + "/targets/import", {}, headers=UNKNOWN
        ),
        system.refused(503, "GET", "/health"),
    )
    assert time.monotonic() - began < 4
    assert [each["reason"] for each in errors[:4]] == ["REQUEST_TIMEOUT"] * 4
    assert {each["status"] for each in errors} == {"UNAVAILABLE"}
    await proxy.restore()
    await ready(system.http)
    assert (await system.ok("GET", "/accesskeys"))["result"]
