"""The web as flows may use it: what a customer writes must not reach what only this host can reach.

The address is looked up here, checked, and connected to as it is: a name that is looked up twice could
have another address the second time. Redirections are not followed, because they would lead past that.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from services.common.public import NOT_PUBLIC, IpAddress, reachable
from services.dialer.domain.webhooks import HttpAnswer, HttpFailedError, HttpRequest

MAX_ANSWER_BYTES = 128 * 1024
DEFAULT_SECONDS = 10.0
"""How long a request may take in all, real seconds."""
LOOKUPS_AT_ONCE = 16
_PORTS = {"http": 80, "https": 443}
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name, in the order in which they are to be tried; OSError when there are none."""


class HttpClient:
    """See ports.HttpCalls."""

    def __init__(
        self,
        *,
        allows_private: bool = False,
        seconds: float = DEFAULT_SECONDS,
        resolve: Resolve | None = None,
        trusting: ssl.SSLContext | None = None,
    ) -> None:
        """`allows_private` opens loopback and private addresses; for networks without strangers.
        Certificates are checked by `trusting`, else by the usual authorities.
        """
        self._allows_private = allows_private
        self._seconds = seconds
        # Of its own: slow name servers must not hold up what else waits for threads.
        self._lookups = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="lookup")
        self._resolve = resolve or self._look_up
        self._client = httpx.AsyncClient(
            timeout=seconds,
            follow_redirects=False,
            trust_env=False,
            verify=trusting or True,
            # Connections are found by address: kept open, one made for another name at the same
            # address, with its certificate checked for that name, would be used.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """See HttpCalls."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._send(request)
        except TimeoutError:
            raise HttpFailedError(f"no answer within {self._seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as exc:
            raise HttpFailedError(f"{type(exc).__name__}: {exc}"[:200]) from exc

    async def close(self) -> None:
        """Close connections and end look-ups."""
        await self._client.aclose()
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def _send(self, request: HttpRequest) -> HttpAnswer:
        url = httpx.URL(request.uri)
        if url.scheme not in _PORTS or not url.host:
            raise HttpFailedError("accepted: an http or https URL")
        addresses = await self._addresses(url.host, url.port or _PORTS[url.scheme])
        failure: httpx.TransportError | None = None
        for address in addresses:
            try:
                return await self._send_to(address, url, request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
                failure = exc
        raise HttpFailedError(f"{url.host} cannot be reached: {failure}"[:200])

    async def _send_to(
        self, address: IpAddress, url: httpx.URL, request: HttpRequest
    ) -> HttpAnswer:
        headers = {
            "Accept": "application/json, */*",
            # What is unpacked here could be any number of times larger than what was sent.
            "Accept-Encoding": "identity",
            "User-Agent": "outbound",
            "Idempotency-Key": str(request.key),
            **request.headers,
            "Host": url.netloc.decode(),
        }
        built = self._client.build_request(
            request.method,
            url.copy_with(host=str(address)),
            headers=headers,
            content=request.body or None,
            # The certificate is to be that of the name, not of the address.
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        answer = await self._client.send(built, stream=True)
        try:
            body = bytearray()
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    return HttpAnswer(answer.status_code, b"", is_too_long=True)
            return HttpAnswer(answer.status_code, bytes(body))
        finally:
            await answer.aclose()

    async def _addresses(self, host: str, port: int) -> list[IpAddress]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as exc:
            raise HttpFailedError(f"{host} has no address: {exc}"[:200]) from exc
        # Without a zone: what is local to a link is refused, or named by its owner.
        allowed = reachable(found, allows_private=self._allows_private)
        if not allowed:
            raise HttpFailedError(f"{host} {NOT_PUBLIC}")
        return allowed

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._lookups,
            lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM),
        )
        return [str(each[4][0]) for each in found]
