"""One application's websocket to one PBX: events come over it, and every command goes over it.

That commands travel on the application's own connection is what makes them safe: a call can only be
placed while its application is open, commands are carried out in the order given, and the moment of
sending is one synchronous write. Only what may be large is asked for over HTTP: Asterisk builds each
frame on a thread's stack, and a list of some hundred channels makes it crash.

Every application hears of every channel, for an answer must be heard of before the call enters one;
what is not of a call held here is dropped unread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from services.common.backoff import Backoff
from services.common.clock import Clock
from services.common.log import get_logger
from services.dialer.drivers.asterisk.configuration import PbxSettings
from services.dialer.drivers.asterisk.requests import Request
from services.dialer.telephony import TelephonyUnavailable

UNANSWERED = 0
"""The link broke before the answer came: the request may have been carried out."""
UNWRITTEN = -1
"""It was never sent."""
LATE = -2
"""It was not sent because its time had passed."""

MOST_UNANSWERED = 100
"""Requests under way at a time. What waits here is still held to its `place_before`; what is in the
socket's buffer is not."""
ANSWER_SECONDS = 10.0
"""A PBX that does not answer for so long is as good as gone: the link is made anew."""
HEARTBEAT_SECONDS = 5.0
OPEN_SECONDS = 5.0
CLOSE_SECONDS = 1.0
FIRST_RECONNECT_SECONDS = 0.05
MOST_RECONNECT_SECONDS = 2.0
_CHUNK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request."""

    status: int
    body: Any = None

    @property
    def is_good(self) -> bool:
        """It was carried out."""
        return 200 <= self.status < 300

    @property
    def detail(self) -> str:
        """What the PBX says is wrong, for people."""
        if isinstance(self.body, dict):
            return str(self.body.get("message") or self.body.get("error") or self.status)
        return str(self.status)


Then = Callable[[Answer], None]
Event = dict[str, Any]


@dataclass(slots=True)
class _Waiting:
    request: Request
    then: Then | None
    place_before: float | None
    sent_at: float = 0.0


class Link:
    """See the module. `settle` is run after each connection, before the link counts as ready."""

    def __init__(
        self,
        pbx: PbxSettings,
        application: str,
        *,
        clock: Clock,
        settle: Callable[[Link], Awaitable[None]],
        on_event: Callable[[Link, Event], None],
        on_change: Callable[[Link], None],
    ) -> None:
        self.pbx = pbx
        self.application = application
        self._clock = clock
        self._settle = settle
        self._on_event = on_event
        self._on_change = on_change
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._http: aiohttp.ClientSession | None = None
        self._outbox: deque[_Waiting] = deque()
        self._unanswered: dict[str, _Waiting] = {}
        self._to_send = asyncio.Event()
        self._count = 0
        self.is_ready = False
        """Connected, and what was missed has been found out."""
        self.is_replaced = False
        """Another connection took this application over; nothing is ever sent here again."""

    # ---------------------------------------------------------------------------------- asking

    def send(
        self, request: Request, then: Then | None = None, *, place_before: float | None = None
    ) -> None:
        """Have it carried out after everything sent before; `then` is told, once, what became of it."""
        if self._socket is None or self.is_replaced:
            if then is not None:
                then(Answer(UNWRITTEN))
            return
        self._outbox.append(_Waiting(request, then, place_before))
        self._to_send.set()

    async def ask(self, request: Request) -> Answer:
        """The answer; TelephonyUnavailable when none can be had."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

        def arrived(answer: Answer) -> None:
            if not future.done():
                future.set_result(answer)

        self.send(request, arrived)
        answer = await future
        if answer.status <= 0:
            raise TelephonyUnavailable(f"no link to PBX {self.pbx.name}")
        return answer

    async def fetch(self, request: Request) -> Answer:
        """The answer to a question over HTTP; TelephonyUnavailable when none can be had."""
        http = self._http
        if http is None or http.closed:
            raise TelephonyUnavailable(f"no link to PBX {self.pbx.name}")
        try:
            async with http.request(
                request.method,
                f"{self.pbx.ari_url}/{request.path}",
                params=dict(request.query),
                data=None if request.body is None else orjson.dumps(request.body),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
            ) as response:
                text = await response.read()
                return Answer(response.status, orjson.loads(text) if text else None)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TelephonyUnavailable(f"PBX {self.pbx.name}: {error}") from error

    async def download(self, path: str, target: Path) -> bool:
        """Fetch into a file; False when it is not there.

        TelephonyUnavailable when the PBX does not answer.
        """
        try:
            async with (
                self._session() as session,
                session.get(f"{self.pbx.ari_url}/{path}", allow_redirects=False) as response,
            ):
                if response.status != 200:
                    return False
                with target.open("wb") as file:
                    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                        file.write(chunk)
                return True
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TelephonyUnavailable(f"PBX {self.pbx.name}: {error}") from error

    # ---------------------------------------------------------------------------------- running

    async def run(self) -> None:
        """Keep the link up until cancelled or replaced."""
        backoff = Backoff(FIRST_RECONNECT_SECONDS, MOST_RECONNECT_SECONDS)
        while not self.is_replaced:
            reason = "the PBX ended it"
            try:
                async with self._session() as session:
                    await self._connected(session, backoff)
            except (aiohttp.ClientError, OSError, TimeoutError, TelephonyUnavailable) as error:
                reason = str(error) or type(error).__name__
            finally:
                self._down()
            if self.is_replaced:
                return
            pause = backoff.failed()
            if backoff.failures <= 3 or backoff.failures % 20 == 0:
                get_logger().warning(
                    "pbx_unreachable",
                    pbx=self.pbx.name,
                    application=self.application,
                    reason=reason,
                    seconds=round(pause, 2),
                )
            await asyncio.sleep(pause)

    async def _connected(self, session: aiohttp.ClientSession, backoff: Backoff) -> None:
        url = self.pbx.ari_url.replace("http", "ws", 1) + "/events"
        async with asyncio.timeout(OPEN_SECONDS):
            socket = await session.ws_connect(
                url,
                params={"app": self.application, "subscribeAll": "true"},
                max_msg_size=0,
                heartbeat=HEARTBEAT_SECONDS,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
            )
        self._socket, self._http = socket, session
        tasks = [
            asyncio.create_task(self._write(socket)),
            asyncio.create_task(self._read(socket)),
            asyncio.create_task(self._watch()),
            asyncio.create_task(self._settled(backoff)),
        ]
        try:
            # Whichever fails or ends first ends the connection; only settling may end by itself.
            done, _ = await asyncio.wait(tasks[:3], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await socket.close()

    async def _settled(self, backoff: Backoff) -> None:
        try:
            await self._settle(self)
        except TelephonyUnavailable:
            return  # the reader has seen why
        except Exception:
            get_logger().exception("pbx_unsettled", pbx=self.pbx.name)
            if self._socket is not None:
                await self._socket.close()
            return
        backoff.succeeded()
        self.is_ready = True
        self._on_change(self)

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            headers={"Authorization": aiohttp.encode_basic_auth(self.pbx.user, self.pbx.secret())},
            timeout=aiohttp.ClientTimeout(total=None, connect=OPEN_SECONDS, sock_read=30),
        )

    def _down(self) -> None:
        was_ready = self.is_ready
        self._socket, self._http, self.is_ready = None, None, False
        unsent, self._outbox = self._outbox, deque()
        unanswered, self._unanswered = self._unanswered, {}
        for each in unanswered.values():
            if each.then is not None:
                each.then(Answer(UNANSWERED))
        for each in unsent:
            if each.then is not None:
                each.then(Answer(UNWRITTEN))
        if was_ready:
            self._on_change(self)

    # ----------------------------------------------------------------------------------- wires

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            while self._outbox and len(self._unanswered) < MOST_UNANSWERED:
                waiting = self._outbox.popleft()
                now = self._clock.boottime()
                if waiting.place_before is not None and now > waiting.place_before:
                    if waiting.then is not None:
                        waiting.then(Answer(LATE, f"{(now - waiting.place_before) * 1000:.0f} ms"))
                    continue
                self._count += 1
                request_id = str(self._count)
                waiting.sent_at = now
                self._unanswered[request_id] = waiting
                # An uncompressed frame is handed to the transport before `send_str` waits for anything.
                await socket.send_str(waiting.request.frame(request_id))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            event: Event = orjson.loads(message.data)
            kind = event.get("type")
            if kind == "RESTResponse":
                self._answered(event)
            elif kind == "ApplicationReplaced":
                self.is_replaced = True
                self._on_change(self)
                return
            else:
                self._received(event)

    def _received(self, event: Event) -> None:
        try:
            self._on_event(self, event)
        except Exception:
            # A bug met by one event must not cost all other calls their link.
            get_logger().exception("event_failed", kind=event.get("type"), pbx=self.pbx.name)

    def _answered(self, event: Event) -> None:
        waiting = self._unanswered.pop(str(event.get("request_id")), None)
        if self._outbox:
            self._to_send.set()
        if waiting is None or waiting.then is None:
            return
        text = event.get("message_body")
        body = orjson.loads(text) if text else None
        waiting.then(Answer(int(event["status_code"]), body))

    async def _watch(self) -> None:
        """End a connection whose PBX answers no more."""
        while True:
            await self._clock.sleep_real(1.0)
            oldest = next(iter(self._unanswered.values()), None)
            if oldest is not None and self._clock.boottime() - oldest.sent_at > ANSWER_SECONDS:
                raise TimeoutError(f"no answer for {ANSWER_SECONDS:.0f} s")
