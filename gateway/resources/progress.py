"""Progress of a campaign: `/campaigns/{id}/stats` and the stream `/campaigns/{id}/events`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.progress import Subscription
from gateway.resources.campaigns import CAMPAIGN
from gateway.routes import Call, One, Plain, Route
from gateway.stats import PACING, STATS, read_campaign, read_stats
from services.common.errors import Unauthenticated, Unavailable

TAG = "campaigns"
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
        yield event.frame(call.form)
        if event.name == "end":
            return


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
    Route(
        "GET",
        "/campaigns/{id}/stats",
        "Count what a campaign has done",
        TAG,
        _stats,
        One(STATS),
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
