"""Sounds from the web: fetched from where a customer says, but not from what only this host can reach."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from services.common.public import NOT_PUBLIC, reachable
from services.dialer.drivers.asterisk.speech import SpeechFailed

FETCH_SECONDS = 10.0
FETCH_BYTES = 20 * 1024 * 1024
MOST_REDIRECTS = 5


class MediaWeb:
    """See the module. `allows_private` opens loopback and private addresses, where nobody is a stranger."""

    def __init__(self, *, allows_private: bool = False) -> None:
        self._allows_private = allows_private

    async def load(self, url: str, target: Path) -> None:
        """Fetch into a file. Raises SpeechFailed."""
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                await self._load(url, target)
        except TimeoutError as error:
            raise SpeechFailed(f"fetching took longer than {FETCH_SECONDS:.0f} s") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise SpeechFailed(f"fetching failed: {error}") from error

    async def _load(self, url: str, target: Path) -> None:
        # A name is looked up once for each connection, and what was checked is connected to.
        resolver = _Resolver(allows_private=self._allows_private)
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(MOST_REDIRECTS + 1):
                self._check(url)
                async with session.get(url, allow_redirects=False) as response:
                    if response.status in (301, 302, 303, 307, 308):
                        url = _redirected(url, response.headers.get("Location", ""))
                        continue
                    if response.status != 200:
                        raise SpeechFailed(f"fetching gave status {response.status}")
                    await _store(response, target)
                    return
        raise SpeechFailed("fetching was redirected too often")

    def _check(self, url: str) -> None:
        """Refuse addresses that are written as such: no name is looked up for them."""
        host = urlsplit(url).hostname or ""
        try:
            allowed = reachable([host], allows_private=self._allows_private)
        except ValueError:
            return
        if not allowed:
            raise SpeechFailed(f"{host} {NOT_PUBLIC}")


class _Resolver(AbstractResolver):
    """Looks names up, and tells of public addresses only."""

    def __init__(self, *, allows_private: bool) -> None:
        self._allows_private = allows_private
        self._names = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        hosts = [each["host"] for each in found]
        allowed = reachable(hosts, allows_private=self._allows_private)
        if not allowed:
            raise OSError(0, f"{host} {NOT_PUBLIC}")
        return [each for each in found if ipaddress.ip_address(each["host"]) in allowed]

    async def close(self) -> None:
        await self._names.close()


async def _store(response: aiohttp.ClientResponse, target: Path) -> None:
    size = 0
    with target.open("wb") as file:
        async for chunk in response.content.iter_chunked(65536):
            size += len(chunk)
            if size > FETCH_BYTES:
                raise SpeechFailed(f"larger than {FETCH_BYTES // 1024**2} MiB")
            file.write(chunk)


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location)
    if urlsplit(target).scheme not in ("http", "https"):
        raise SpeechFailed("fetching was redirected to something that is not http")
    return target
