"""Durable consumers of the event stream.

Delivered at least once and in order per resource, except that a message whose handler failed comes
again later: handlers are idempotent by event id and ignore a revision they have passed.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import api

from services.common import outages
from services.common.backoff import Backoff, keep_running
from services.common.envelope import Received, decode
from services.common.errors import Unavailable
from services.common.jetstream import STREAM, Bus, Filter, subject
from services.common.log import get_logger
from services.common.metrics import counter

BATCH = 200
"""Most messages handed to the handler at once."""
ACK_WAIT_SECONDS = 60.0
"""A message that is not acknowledged for so long is delivered again, to any replica."""
_REQUEST_SECONDS = 30.0
_HEARTBEAT_SECONDS = 5.0
_NAK_MOST_SECONDS = 60.0
_NANO = 1_000_000_000

_handled = counter(
    "consumer_messages", "Messages handled, by consumer and outcome", ("durable", "outcome")
)

Handler = Callable[[list[Received]], Awaitable[None]]


class Consumer:
    """Hands the events that match the filters to `handler`, in batches, and acknowledges after it.

    Replicas with the same `durable` share the work. When the handler fails because something else is
    down, the whole batch is given back and the consumer pauses; when it fails otherwise, the
    messages are tried one by one, so that a poisonous one holds up only itself.
    """

    def __init__(
        self,
        bus: Bus,
        durable: str,
        filters: Sequence[Filter],
        handler: Handler,
        *,
        batch: int = BATCH,
        ack_wait: float = ACK_WAIT_SECONDS,
    ) -> None:
        """Describe a consumer; nothing happens before `run`.

        `durable` holds letters, digits, `-` and `_`. One that does not exist yet begins with the oldest
        event kept.
        """
        self._bus = bus
        self._durable = durable
        self._filters = [subject("*", resource, event) for resource, event in filters]
        self._handler = handler
        self._batch = batch
        self._ack_wait = ack_wait
        self._waiting: deque[Msg] = deque()
        self._arrived = asyncio.Event()
        self._outstanding = 0
        self._is_unserved = False
        self._backoff = Backoff()
        self._subscription: Subscription | None = None

    async def run(self) -> None:
        """Consume until cancelled. Outlives NATS restarts and a deleted stream or consumer."""
        self._bus.watch(self._arrived)
        await keep_running(f"consumer {self._durable}", self._run_connected)

    async def _run_connected(self) -> None:
        await self._bus.wait_connected()
        await self._bus.create_consumer(self._config())
        connection = self._bus.connections
        self._waiting.clear()
        self._outstanding = 0
        self._is_unserved = False
        self._subscription = await self._bus.subscribe_inbox(self._on_message)
        try:
            while True:
                if self._bus.connections != connection or not self._bus.is_connected:
                    # Requests made before the gap are forgotten; the consumer may be, too.
                    raise Unavailable("the connection to the event bus was lost")
                await self._request_more()
                await self._wait_for_messages()
                messages = self._take()
                if messages:
                    await self._handle(messages)
        finally:
            await self._unsubscribe()

    def _config(self) -> dict[str, Any]:
        return {
            "durable_name": self._durable,
            "name": self._durable,
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": int(self._ack_wait * _NANO),
            "max_deliver": -1,
            "max_ack_pending": self._batch * 10,
            "filter_subjects": self._filters,
            "replay_policy": "instant",
        }

    async def _on_message(self, message: Msg) -> None:
        status = (message.headers or {}).get(api.Header.STATUS.value) if not message.data else None
        if status is None:
            self._outstanding = max(0, self._outstanding - 1)
            self._waiting.append(message)
        elif status == api.StatusCode.REQUEST_TIMEOUT.value:
            # A request has expired, so many messages short.
            missing = (message.headers or {}).get("Nats-Pending-Messages", "")
            self._outstanding -= int(missing) if missing.isdigit() else self._outstanding
            self._outstanding = max(0, self._outstanding)
        elif status != api.StatusCode.CONTROL_MESSAGE.value:
            self._is_unserved = True
        self._arrived.set()

    async def _request_more(self) -> None:
        if self._is_unserved:
            raise Unavailable(f"the consumer {self._durable} is not served; making it again")
        if self._outstanding > self._batch // 2 or self._subscription is None:
            return
        # Before the request, because the answer may arrive while it is being sent.
        self._outstanding += self._batch
        request = {
            "batch": self._batch,
            "expires": int(_REQUEST_SECONDS * _NANO),
            "idle_heartbeat": int(_HEARTBEAT_SECONDS * _NANO),
        }
        await self._bus.client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{self._durable}",
            json.dumps(request).encode(),
            reply=self._subscription.subject,
        )

    async def _wait_for_messages(self) -> None:
        if self._waiting:
            return
        self._arrived.clear()
        try:
            async with asyncio.timeout(_HEARTBEAT_SECONDS * 2.5):
                await self._arrived.wait()
        except TimeoutError:
            raise Unavailable(f"no sign of life of the consumer {self._durable}") from None

    def _take(self) -> list[Msg]:
        count = min(self._batch, len(self._waiting))
        return [self._waiting.popleft() for _ in range(count)]

    async def _handle(self, messages: list[Msg]) -> None:
        readable = await self._decode(messages)
        if not readable:
            return
        try:
            await self._handler([received for _, received in readable])
        except Exception as exc:
            await self._after_failure(readable, exc)
            return
        self._backoff.succeeded()
        await self._acknowledge([message for message, _ in readable])

    async def _decode(self, messages: list[Msg]) -> list[tuple[Msg, Received]]:
        readable = []
        for message in messages:
            try:
                sequence = message.metadata.sequence.stream
                readable.append((message, decode(message.data, sequence)))
            except (ValueError, nats.errors.Error) as exc:
                # Nobody will ever be able to read it.
                get_logger().error("unreadable_event", subject=message.subject, error=str(exc))
                _handled.labels(self._durable, "unreadable").inc()
                await message.term()
        return readable

    async def _after_failure(self, failed: list[tuple[Msg, Received]], exc: Exception) -> None:
        if outages.is_passing(exc):
            pause = self._backoff.failed()
            get_logger().warning(
                "consumer_waits",
                durable=self._durable,
                error=str(exc)[:300],
                seconds=round(pause, 2),
            )
            # What has arrived meanwhile goes back as well, or it would overtake what failed.
            later = [message for message, _ in failed] + list(self._waiting)
            self._waiting.clear()
            await self._give_back(later, pause)
            await asyncio.sleep(pause)
        elif len(failed) == 1:
            await self._refuse(*failed[0], exc)
        else:
            for each in failed:
                await self._handle_alone(*each)

    async def _handle_alone(self, message: Msg, received: Received) -> None:
        try:
            await self._handler([received])
        except Exception as exc:
            if outages.is_passing(exc):
                await self._give_back([message], self._backoff.failed())
            else:
                await self._refuse(message, received, exc)
            return
        await self._acknowledge([message])

    async def _refuse(self, message: Msg, received: Received, exc: Exception) -> None:
        """A bug of the handler: keep trying, ever more rarely, and say so each time."""
        deliveries = message.metadata.num_delivered or 1
        get_logger().error(
            "event_handler_failed",
            durable=self._durable,
            subject=message.subject,
            sequence=received.sequence,
            deliveries=deliveries,
            exc_info=exc,
        )
        await self._give_back([message], min(_NAK_MOST_SECONDS, 2.0 ** min(deliveries, 10)))

    async def _acknowledge(self, messages: list[Msg]) -> None:
        for message in messages:
            await message.ack()
        _handled.labels(self._durable, "handled").inc(len(messages))

    async def _give_back(self, messages: list[Msg], delay: float) -> None:
        for message in messages:
            await message.nak(delay=delay)
        _handled.labels(self._durable, "returned").inc(len(messages))

    async def _unsubscribe(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is None:
            return
        try:
            await subscription.unsubscribe()
        except (nats.errors.Error, OSError):
            return  # With the connection the subscription is gone, too.
