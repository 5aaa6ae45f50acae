"""Sounds from the web: fetched from where a customer says, but not from what only this host can reach."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.connector import AddrInfoType

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
        connector = aiohttp.TCPConnector(socket_factory=self._socket, use_dns_cache=False)
        async with aiohttp.ClientSession(
            connector=connector,
            # What is unpacked here could be any number of times larger than what was sent.
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},
        ) as session:
            for _ in range(MOST_REDIRECTS + 1):
                async with session.get(url, allow_redirects=False) as response:
                    if response.status in (301, 302, 303, 307, 308):
                        url = _redirected(url, response.headers.get("Location", ""))
                        continue
                    if response.status != 200:
                        raise SpeechFailed(f"fetching gave status {response.status}")
                    await _store(response, target)
                    return
        raise SpeechFailed("fetching was redirected too often")

    def _socket(self, address: AddrInfoType) -> socket.socket:
        """The socket of one connection; OSError where it may not lead.

        Asked here and nowhere earlier: a host can be written in more ways (numbers, other alphabets,
        names whose address changes) than anybody thinks of, but it is connected to by this address.
        """
        family, kind, protocol, _, (host, *_) = address
        if not reachable([str(host)], allows_private=self._allows_private):
            raise OSError(0, f"{host} {NOT_PUBLIC}")
        return socket.socket(family, kind, protocol)


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
