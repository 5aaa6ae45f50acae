"""Customers' requests for consumers, looked at before JetStream gets them.

A consumer that is given a `deliver_subject` has the server publish there, in the account of the stream and
with nobody's permissions. NATS checks the subject of such a request and not its body; so those of
subscribers arrive here instead (see natsauth), and what is harmless is asked for in their place.
"""

from __future__ import annotations

from typing import Any, Final

import nats.errors
import orjson
from nats.aio.msg import Msg

from services.common.errors import AppError
from services.common.jetstream import STREAM, Bus
from services.common.log import get_logger
from services.common.natsauth import GUARD

_QUEUE = "guard"
_SECONDS = 5.0
_ACCEPTED: Final = frozenset(
    {
        "ack_policy",
        "ack_wait",
        "backoff",
        "deliver_policy",
        "description",
        "durable_name",
        "filter_subject",
        "headers_only",
        "inactive_threshold",
        "max_ack_pending",
        "max_batch",
        "max_bytes",
        "max_deliver",
        "max_expires",
        "max_waiting",
        "name",
        "opt_start_seq",
        "opt_start_time",
        "replay_policy",
    }
)
"""Settings of a pull consumer. The server reads names in any case of letters, this does not."""
_ACTIONS = ("", "create", "update")
_BAD_REQUEST, _UNAVAILABLE = (400, 10012), (503, 10008)


class RefusedError(Exception):
    """Why no such consumer is made."""


class ConsumerGuard:
    """Answers the requests that subscribers believe to be JetStream's."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def start(self) -> None:
        """Answer from now on, in turn with the guards of other processes."""
        await self._bus.respond(f"{GUARD}.>", _QUEUE, self._answer)

    async def _answer(self, message: Msg) -> None:
        try:
            answer = await self._create(message)
        except RefusedError as exc:
            get_logger().warning("consumer_refused", subject=message.subject, error=str(exc))
            answer = _error(str(exc), _BAD_REQUEST)
        except (AppError, nats.errors.Error, OSError):
            answer = _error("the event bus is not available; try again", _UNAVAILABLE)
        if message.reply:
            await message.respond(answer)

    async def _create(self, message: Msg) -> bytes:
        body = pull_consumer(message.data)
        target = message.subject.removeprefix(f"{GUARD}.")
        answer = await self._bus.client.request(
            f"$JS.API.CONSUMER.CREATE.{STREAM}.{target}", body, timeout=_SECONDS
        )
        return answer.data


def pull_consumer(request: bytes) -> bytes:
    """The request, written anew; RefusedError when it asks for more than a pull consumer."""
    try:
        given = orjson.loads(request)
    except orjson.JSONDecodeError:
        raise RefusedError("the request is not JSON") from None
    config = given.get("config") if isinstance(given, dict) else None
    if not isinstance(config, dict):
        raise RefusedError("the request has no config")
    action = given.get("action", "")
    if action not in _ACTIONS:
        raise RefusedError(f"action is {action!r}; accepted: {', '.join(_ACTIONS[1:])}")
    # Clients write what is not set as null, false, 0 or nothing.
    wanted = {name: value for name, value in config.items() if value}
    refused = sorted(set(wanted) - _ACCEPTED)
    if refused:
        raise RefusedError(
            f"{refused[0]} is set; accepted is a pull consumer with: {', '.join(sorted(_ACCEPTED))}"
        )
    return orjson.dumps({"stream_name": STREAM, "config": wanted, "action": action})


def _error(description: str, codes: tuple[int, int]) -> bytes:
    code, err_code = codes
    answer: dict[str, Any] = {
        "type": "io.nats.jetstream.api.v1.consumer_create_response",
        "error": {"code": code, "err_code": err_code, "description": description},
    }
    return orjson.dumps(answer)
