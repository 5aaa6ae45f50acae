"""Progress of a campaign: `/campaigns/{id}/stats` and the stream `/campaigns/{id}/events`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.members import Reader
from gateway.progress import StreamEvent, Subscription
from gateway.resources.campaigns import CAMPAIGN
from gateway.resources.common import reading
from gateway.routes import Call, Plain, Route
from gateway.stats import PACING, STATS, read_campaign, read_stats
from gateway.timeforms import TimeForm
from services.common.errors import Unauthenticated, Unavailable

TAG = "campaigns"
_PRESENT: Final[dict[str, Reader]] = {
    "campaign": CAMPAIGN.present,
    "stats": STATS.present,
    "pacing": PACING.present,
    "end": lambda reason, form: {"reason": reason},
}
"""How the content of each event is written."""
HEARTBEAT_SECONDS: Final = 15.0
"""How often something is sent, and the reader's credential is looked at again."""


async def _stats(call: Call) -> Any:
    upstreams, identity = call.parts.upstreams, call.caller
    campaign = await read_campaign(upstreams, identity, call.ids["id"])
    return await read_stats(upstreams, identity, campaign)


class _EventStream(StreamingResponse):
    """Leaves the watch however the stream ends."""

    def __init__(self, call: Call, subscription: Subscription) -> None:
        super().__init__(
            _frames(call, subscription),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )
        self._subscription = subscription

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See Response."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._subscription.close()


async def _events(call: Call) -> Response:
    if call.request.method == "HEAD":
        # Without a body there is nothing to stay connected for.
        await read_campaign(call.parts.upstreams, call.caller, call.ids["id"])
        return Response(media_type="text/event-stream")
    subscription = await call.parts.progress.subscribe(call.caller, call.ids["id"])
    return _EventStream(call, subscription)


async def _frames(call: Call, subscription: Subscription) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    beat = time.monotonic() + HEARTBEAT_SECONDS
    while True:
        try:
            async with asyncio.timeout(max(0.0, beat - time.monotonic())):
                event = await subscription.next()
        except TimeoutError:
            beat = time.monotonic() + HEARTBEAT_SECONDS
            if not await _is_still_welcome(call):
                subscription.end("credential_refused")
            yield b": keep-alive\n\n"
            continue
        yield _frame(event, call.form)
        if event.name == "end":
            return


def _frame(event: StreamEvent, form: TimeForm) -> bytes:
    """The event as server-sent events have it."""
    frame = event.frames.get(form)
    if frame is None:
        data = orjson.dumps(_PRESENT[event.name](event.content, form))
        frame = event.frames[form] = b"event: %s\ndata: %s\n\n" % (event.name.encode(), data)
    return frame


async def _is_still_welcome(call: Call) -> bool:
    """A stream must not outlive the key it was opened with."""
    try:
        identity = await call.parts.authenticator.identify(call.caller.credential)
    except Unauthenticated:
        return False
    except Unavailable:
        return True
    return identity.may(call.route.permission)


ROUTES = (
    reading(
        TAG,
        "/campaigns/{id}/stats",
        "Count what a campaign has done",
        _stats,
        STATS,
        about="Costs the same however many targets and attempts there are.",
    ),
    Route(
        "GET",
        "/campaigns/{id}/events",
        "Follow a campaign live (server-sent events)",
        TAG,
        _events,
        Plain({"type": "string"}, "text/event-stream", (CAMPAIGN, STATS, PACING)),
        has_deadline=False,
        is_rate_limited=False,
        about="Events: `campaign` (a Campaign, first and at every change), `stats` (CampaignStats, "
        "when something changed, at most once a second), `pacing` (Pacing), and last `end` with a "
        "reason: too_slow, shutdown, credential_refused or gone. A comment every 15 seconds keeps "
        "the connection alive. After a gap connect again: the first two events tell everything.",
    ),
)
