"""Reads a second of the gateway: authenticated, one gRPC call each, JSON out."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import uvloop

from benchmarks.results import Result
from benchmarks.running import Running
from services.common.clock import boot_seconds

CONNECTIONS = 16
SECONDS = 8.0
FLOOR = 300


def measure(running: Running, campaign_id: str) -> Result:
    """GET of one campaign over connections that are kept, one request after the other on each."""
    reads = uvloop.run(_load(running, campaign_id))
    return Result("gateway_reads", reads / SECONDS, "requests/s", FLOOR)


async def _load(running: Running, campaign_id: str) -> int:
    address = urlsplit(running.url)
    assert address.hostname is not None
    request = (
        f"GET /v1.0/campaigns/{campaign_id} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {running.access_key}\r\n\r\n"
    ).encode()
    until = boot_seconds() + SECONDS
    counts = await asyncio.gather(
        *(_reader(address.hostname, address.port or 80, request, until) for _ in range(CONNECTIONS))
    )
    return sum(counts)


async def _reader(host: str, port: int, request: bytes, until: float) -> int:
    """A client library would cost more than the gateway; this reads just what it must."""
    reader, writer = await asyncio.open_connection(host, port)
    count = 0
    while boot_seconds() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        _, _, rest = head.lower().partition(b"content-length:")
        await reader.readexactly(int(rest.partition(b"\r\n")[0]))
        count += 1
    writer.close()
    return count
