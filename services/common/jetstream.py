"""NATS JetStream: one stream of event batches, published in windows and read by durable consumers.

A connection that NATS closes, or a server that is restarted, is taken up again for ever. While
there is none, publishing raises Unavailable and consumers wait.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext, api

from services.common.backoff import Backoff
from services.common.envelope import Received, decode
from services.common.errors import AppError, Unavailable
from services.common.log import get_logger
from services.common.tasks import cancel_all

STREAM = "OUTBOUND"
PREFIX = "outbound.v1"
DUPLICATE_WINDOW_SECONDS = 120.0
ACK_SECONDS = 5.0
"""How long a publisher waits for the acknowledgement of a window, real seconds."""
_WEEK_SECONDS = 7 * 24 * 3600.0
CONNECT_SECONDS = 5.0
"""How long a starting process waits for NATS before it goes on without, real seconds."""
_API_SECONDS = 5.0
_HEADER_BYTES = 512
"""Room for a message's headers, which count towards what a server takes."""

Filter = tuple[str, str]
"""(resource, event), either of which may be `*`."""


def subject(customer_id: UUID | str, resource: str, event: str) -> str:
    """Where the events of a customer's resources are published."""
    return f"{PREFIX}.{customer_id}.{resource}.{event}"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish. NATS drops a second one with the same `msg_id` within two minutes."""

    subject: str
    payload: bytes
    msg_id: str


@dataclass(frozen=True, slots=True)
class StreamState:
    """Which stream this is, and how far it goes. An empty stream's `first` is `last` + 1."""

    created: datetime
    first: int
    last: int


class Bus:
    """One connection to NATS, made by `connect`."""

    def __init__(self, url: str, credentials: str, name: str) -> None:
        self._servers = [each.strip() for each in url.split(",")]
        self._credentials = credentials
        self._name = name
        self._nc: Client | None = None
        self._js: JetStreamContext | None = None
        self._connected = asyncio.Event()
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closed = asyncio.Event()
        self._hints: list[tuple[str, str, Callable[[Msg], Awaitable[None]]]] = []
        self._watching: list[asyncio.Event] = []
        self._keeper: asyncio.Task[None] | None = None
        self._stream: api.StreamConfig | None = None
        self._connections = 0

    @classmethod
    async def connect(
        cls, url: str, credentials: str, name: str, *, wait: float = CONNECT_SECONDS
    ) -> Bus:
        """A bus on one of the comma-separated servers.

        `credentials` is the path of a .creds file, or empty. When none can be reached within `wait`
        real seconds the bus is returned all the same and goes on trying; see `check`.
        """
        bus = cls(url, credentials, name)
        bus._keeper = asyncio.create_task(bus._keep_connected(), name="bus")
        try:
            async with asyncio.timeout(wait):
                await bus._connected.wait()
        except TimeoutError:
            get_logger().warning("nats_not_reached", servers=len(bus._servers))
        return bus

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection now."""
        return self._connected.is_set()

    @property
    def connections(self) -> int:
        """How many times a connection was made; a change means that there was a gap."""
        return self._connections

    @property
    def client(self) -> Client:
        """The NATS client; Unavailable while there is no connection."""
        if self._nc is None or not self.is_connected:
            raise Unavailable("the event bus is not available; try again", retry_after=1.0)
        return self._nc

    @property
    def max_bytes(self) -> int:
        """Largest body of a message that the server takes with the headers that are sent here."""
        return int(self.client.max_payload) - _HEADER_BYTES

    async def check(self) -> None:
        """For health checks: Unavailable while there is no connection."""
        _ = self.client

    async def wait_connected(self) -> None:
        """Return when there is a connection."""
        await self._connected.wait()

    async def wait_lost(self) -> None:
        """Return when the connection that exists now is gone; at once when there is none."""
        if self.is_connected:
            await asyncio.wait({self._lost})

    def watch(self, lost: asyncio.Event) -> None:
        """Set the event whenever the connection is lost."""
        self._watching.append(lost)

    async def close(self) -> None:
        """Send what is waiting to be sent, and close."""
        if self._keeper is not None:
            await cancel_all([self._keeper])
        if self._nc is not None and not self._nc.is_closed:
            nc = self._nc
            try:
                async with asyncio.timeout(2):
                    if self.is_connected:
                        await nc.flush()
            except (TimeoutError, nats.errors.Error, OSError):
                get_logger().warning("nats_closed_without_flush")
            await nc.close()

    async def ensure_stream(
        self, *, max_age_seconds: float | None = None, replicas: int | None = None
    ) -> None:
        """Make the stream when it is missing, and bring an existing one to these settings.

        Later calls without arguments repeat the settings of the first.
        """
        known = self._stream
        config = api.StreamConfig(
            name=STREAM,
            subjects=[f"{PREFIX}.>"],
            storage=api.StorageType.FILE,
            retention=api.RetentionPolicy.LIMITS,
            discard=api.DiscardPolicy.OLD,
            max_age=max_age_seconds or (known.max_age if known else None) or _WEEK_SECONDS,
            num_replicas=replicas or (known.num_replicas if known else None) or 1,
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
            allow_direct=True,
        )
        js = self._jetstream()
        try:
            await js.add_stream(config)
        except nats.js.errors.BadRequestError:
            # It exists with other settings.
            await js.update_stream(config)
        self._stream = config

    async def stream_state(self) -> StreamState:
        """State of the stream, which is made when it is missing."""
        answer = await self._request("STREAM.INFO." + STREAM, {})
        if answer is None:
            await self.ensure_stream()
            answer = await self._request("STREAM.INFO." + STREAM, {})
        if answer is None:
            raise Unavailable("the event stream is missing; try again", retry_after=1.0)
        state = answer["state"]
        # nats-py drops `created`; it is what tells a stream from its successor of the same name.
        created = datetime.fromisoformat(_micros(answer["created"]))
        return StreamState(created, int(state["first_seq"]), int(state["last_seq"]))

    async def message_id(self, sequence: int) -> str | None:
        """The Nats-Msg-Id stored at `sequence`; None when nothing is stored there."""
        try:
            found = await self._jetstream().get_msg(STREAM, sequence)
        except nats.js.errors.NotFoundError:
            return None
        return (found.headers or {}).get(api.Header.MSG_ID.value)

    async def publish(self, subject: str, payload: bytes, msg_id: str) -> int:
        """Publish one message; its sequence in the stream. Raises Unavailable."""
        result = (await self.publish_window([Outgoing(subject, payload, msg_id)]))[0]
        if isinstance(result, AppError):
            raise result
        return result

    async def publish_window(self, messages: Sequence[Outgoing]) -> list[int | AppError]:
        """Publish all, then await the acknowledgements together: a sequence or an error for each.

        An error means that the message may or may not be stored: send it again with the same id.
        """
        js = self._jetstream()
        futures: list[asyncio.Future[api.PubAck]] = []
        try:
            for message in messages:
                futures.append(
                    await js.publish_async(
                        message.subject,
                        message.payload,
                        headers={api.Header.MSG_ID.value: message.msg_id},
                        wait_stall=ACK_SECONDS,
                    )
                )
        except (nats.errors.Error, OSError) as exc:
            get_logger().warning("publish_failed", error=str(exc) or type(exc).__name__)
        await self._await_acks(futures)
        sent: list[int | AppError] = [_outcome(future) for future in futures]
        return sent + [_unacknowledged() for _ in messages[len(sent) :]]

    async def listen(
        self, filters: Sequence[Filter], callback: Callable[[Received], Awaitable[None] | None]
    ) -> None:
        """Call back for events of all customers as they pass by: hints for waking up, no more.

        Nothing is kept for a listener that is away, and replicas all hear everything.
        """

        async def on_message(message: Msg) -> None:
            try:
                outcome = callback(decode(message.data, 0))
                if outcome is not None:
                    await outcome
            except Exception:
                get_logger().exception("listener_failed", subject=message.subject)

        for resource, event in filters:
            await self.respond(subject("*", resource, event), "", on_message)

    async def respond(
        self, pattern: str, queue: str, callback: Callable[[Msg], Awaitable[None]]
    ) -> None:
        """Call back for messages that are not of the stream; with a queue, in one of its members."""
        self._hints.append((pattern, queue, callback))
        if self.is_connected:
            await self.client.subscribe(pattern, queue, cb=callback)

    async def subscribe_inbox(self, callback: Callable[[Msg], Awaitable[None]]) -> Subscription:
        """A subscription to a new private inbox."""
        client = self.client
        return await client.subscribe(client.new_inbox(), cb=callback)

    async def create_consumer(self, config: dict[str, Any]) -> None:
        """Make or update a durable consumer. Its settings are those of the JetStream API."""
        name = f"CONSUMER.CREATE.{STREAM}.{config['durable_name']}"
        filters = config.get("filter_subjects", [])
        if len(filters) == 1:
            config = {**config, "filter_subject": filters[0]}
            del config["filter_subjects"]
            name = f"{name}.{filters[0]}"
        request = {"stream_name": STREAM, "config": config}
        if await self._request(name, request) is None:
            await self.ensure_stream()
            if await self._request(name, request) is None:
                raise Unavailable("the event stream is missing; try again", retry_after=1.0)

    async def _request(self, name: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """A JetStream API call; None when what it names does not exist."""
        reply = await self.client.request(
            f"$JS.API.{name}", json.dumps(body).encode(), timeout=_API_SECONDS
        )
        answer: dict[str, Any] = json.loads(reply.data)
        error = answer.get("error")
        if error is None:
            return answer
        if error.get("code") == 404:
            return None
        raise Unavailable(f"the event bus refused {name}: {error.get('description')}")

    def _jetstream(self) -> JetStreamContext:
        _ = self.client
        assert self._js is not None
        return self._js

    async def _await_acks(self, futures: list[asyncio.Future[api.PubAck]]) -> None:
        if not futures:
            return
        acks: asyncio.Future[Any] = asyncio.ensure_future(asyncio.wait(futures))
        try:
            # A lost connection answers nothing more: do not sit out the timeout.
            await asyncio.wait(
                [acks, self._lost], timeout=ACK_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            acks.cancel()
            for future in futures:
                if not future.done():
                    # Also gives back its place in the client's window.
                    future.cancel()

    async def _keep_connected(self) -> None:
        """Connect, and connect anew whenever the client has given up for good."""
        backoff = Backoff()
        while True:
            self._closed.clear()
            nc = Client()
            try:
                await nc.connect(
                    servers=list(self._servers),
                    name=self._name,
                    user_credentials=self._credentials or None,
                    connect_timeout=2,
                    reconnect_time_wait=0.2,  # type: ignore[arg-type] # seconds, fractions included
                    max_reconnect_attempts=-1,
                    allow_reconnect=True,
                    ping_interval=10,
                    max_outstanding_pings=2,
                    error_cb=_note_error,
                    disconnected_cb=self._on_disconnected,
                    reconnected_cb=self._on_connected,
                    closed_cb=self._on_closed,
                    # Unacknowledged messages are sent again anyway; do not hoard them as well.
                    pending_size=16 * 1024 * 1024,
                )
                self._nc = nc
                self._js = nc.jetstream(timeout=_API_SECONDS)
                for pattern, queue, callback in self._hints:
                    await nc.subscribe(pattern, queue, cb=callback)
                backoff.succeeded()
                await self._on_connected()
                await self._closed.wait()
                await self._on_disconnected()
                get_logger().warning("nats_gave_up_connecting_anew")
            except (nats.errors.Error, OSError, TimeoutError) as exc:
                get_logger().warning("nats_not_connected", error=str(exc) or type(exc).__name__)
            await asyncio.sleep(backoff.failed())

    async def _on_connected(self) -> None:
        if self._lost.done():
            self._lost = asyncio.get_running_loop().create_future()
        self._connections += 1
        self._connected.set()

    async def _on_disconnected(self) -> None:
        self._connected.clear()
        if not self._lost.done():
            self._lost.set_result(None)
        for event in self._watching:
            event.set()

    async def _on_closed(self) -> None:
        self._closed.set()


async def _note_error(exc: Exception) -> None:
    get_logger().warning("nats_error", error=str(exc) or type(exc).__name__)


def _outcome(future: asyncio.Future[api.PubAck]) -> int | AppError:
    if future.cancelled():
        return _unacknowledged()
    failure = future.exception()
    if failure is not None:
        return Unavailable(f"the event bus did not take the message: {failure}")
    return future.result().seq


def _unacknowledged() -> AppError:
    return Unavailable("the event bus did not acknowledge the message; send it again")


def _micros(time: str) -> str:
    """RFC 3339 with nanoseconds as Python reads it: cut to microseconds."""
    head, dot, fraction = time.removesuffix("Z").partition(".")
    return f"{head}{dot}{fraction[:6].ljust(6, '0') if dot else ''}+00:00"
