"""Live progress of campaigns: one watch per campaign and process, however many people look.

A watch reads the counters (at a constant cost, see stats.py) at most once a second while the campaign
runs, every few seconds while it stands still, and at once when NATS tells of a change. What it saw
goes to each subscriber's bounded buffer. NATS only hastens: without it the streams go on.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from outbound.campaign.v1 import campaign_service_pb2 as campaign_pb
from outbound.campaign.v1 import events_pb2 as campaign_events
from outbound.dialer.v1 import events_pb2 as dialer_events

from gateway.identity import Identity
from gateway.stats import read_campaign, read_stats
from gateway.timeforms import TimeForm
from gateway.upstreams import Upstreams
from services.common import outages
from services.common.backoff import Backoff
from services.common.bus import Filter
from services.common.envelope import Received
from services.common.errors import NotFound, PermissionDenied, ResourceExhausted, Unavailable
from services.common.log import get_logger

HINTS: Final[list[Filter]] = [("campaign", "*"), ("pacing", "*")]
"""Events the hub wants to hear of."""
RUNNING_SECONDS: Final = 1.0
STANDING_SECONDS: Final = 5.0
_BUFFER: Final = 256


@dataclass(slots=True)
class StreamEvent:
    """One event, and its text in each time form that somebody has asked for: many read the same."""

    name: str
    content: Any
    """A Campaign, CampaignStats, a PacingEvent, or the reason of an end; by the name."""
    frames: dict[TimeForm, bytes] = field(default_factory=dict)


class Subscription:
    """One reader's place in a watch."""

    def __init__(self, hub: ProgressHub, watch: _Watch, customer: str) -> None:
        self._hub = hub
        self._watch = watch
        self.customer = customer
        self._pending: deque[StreamEvent] = deque()
        self._ready = asyncio.Event()
        self._ended = False

    async def next(self) -> StreamEvent:
        """The next event, in order; the last one is named `end`."""
        while not self._pending:
            self._ready.clear()
            await self._ready.wait()
        return self._pending.popleft()

    def put(self, event: StreamEvent) -> None:
        """Keep an event for the reader. A reader too far behind gets `end` instead."""
        if self._ended:
            return
        if event.name == "stats":
            # Only the latest counters are of interest to somebody who is behind.
            self._pending = deque(each for each in self._pending if each.name != "stats")
        if len(self._pending) >= _BUFFER:
            self.end("too_slow")
            return
        self._pending.append(event)
        self._ready.set()

    def end(self, reason: str) -> None:
        """Let the reader know that nothing more will come."""
        if not self._ended:
            self._ended = True
            if reason == "too_slow":
                self._pending.clear()
            self._pending.append(StreamEvent("end", reason))
            self._ready.set()

    def close(self) -> None:
        """Leave the watch; harmless when done twice."""
        self._hub.leave(self, self._watch)


class _Watch:
    """What is known of one campaign, and who wants to know."""

    def __init__(self, upstreams: Upstreams, campaign: campaign_pb.Campaign, by: Identity) -> None:
        self._upstreams = upstreams
        self._identity = by
        self._campaign = campaign
        self._stats: StreamEvent | None = None
        self._wake = asyncio.Event()
        self.id = campaign.id
        self.subscribers: set[Subscription] = set()
        self.task: asyncio.Task[None] | None = None

    def add(self, subscription: Subscription) -> None:
        """Start telling the subscriber, beginning with what is known."""
        self.subscribers.add(subscription)
        subscription.put(StreamEvent("campaign", self._campaign))
        if self._stats is not None:
            subscription.put(self._stats)

    def tell(self, event: StreamEvent) -> None:
        """Pass an event on to everybody."""
        for subscription in self.subscribers:
            subscription.put(event)

    def hear_campaign(self, campaign: campaign_pb.Campaign) -> None:
        """Take over a newer campaign."""
        if campaign.revision > self._campaign.revision:
            self._campaign = campaign
            self.tell(StreamEvent("campaign", campaign))
            self._wake.set()

    def hear_pacing(self, pacing: dialer_events.PacingEvent) -> None:
        """Pass a decision of the pacer on."""
        self.tell(StreamEvent("pacing", pacing))
        self._wake.set()

    async def run(self) -> None:
        """Read again and again until cancelled, or until the campaign is out of reach."""
        backoff = Backoff()
        while True:
            began = time.monotonic()
            self._wake.clear()
            try:
                await self._look()
                backoff.succeeded()
            except (NotFound, PermissionDenied):
                return
            except Exception as exc:
                if not outages.is_passing(exc):
                    raise
                await asyncio.sleep(max(RUNNING_SECONDS, backoff.failed()))
                continue
            await self._rest(began)

    async def _look(self) -> None:
        joined = await read_stats(self._upstreams, self._identity, self._campaign)
        # The event that told of a change may have been missed, or be still on its way.
        self.hear_campaign(joined.campaign)
        if self._stats is None or not joined.shows_the_same(self._stats.content):
            self._stats = StreamEvent("stats", joined)
            self.tell(self._stats)

    async def _rest(self, began: float) -> None:
        standing = self._campaign.status == campaign_pb.Campaign.STATUS_STOP
        until = began + (STANDING_SECONDS if standing else RUNNING_SECONDS)
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await self._wake.wait()
        except TimeoutError:
            return
        # However many changes there are, the counters are read once a second.
        await asyncio.sleep(max(0.0, began + RUNNING_SECONDS - time.monotonic()))


class ProgressHub:
    """All watches of this process."""

    def __init__(self, upstreams: Upstreams, streams_per_customer: int) -> None:
        self._upstreams = upstreams
        self._limit = streams_per_customer
        self._watches: dict[str, _Watch] = {}
        self._streams: Counter[str] = Counter()
        self._is_closed = False

    async def subscribe(self, identity: Identity, campaign_id: str) -> Subscription:
        """Follow a campaign that the identity may see.

        ResourceExhausted when the customer holds too many streams.
        """
        customer = str(identity.customer_id)
        if self._is_closed:
            raise Unavailable("this process is stopping; connect again", retry_after=1.0)
        if self._streams[customer] >= self._limit:
            raise ResourceExhausted(
                f"{self._limit} event streams are open; close one first", limit=str(self._limit)
            )
        # Asked for each subscriber, so that ownership is the service's decision every time.
        campaign = await read_campaign(self._upstreams, identity, campaign_id)
        watch = self._watches.get(campaign.id)
        if watch is None:
            watch = self._watches[campaign.id] = _Watch(self._upstreams, campaign, identity)
            watch.task = asyncio.create_task(watch.run(), name=f"watch {campaign.id}")
            watch.task.add_done_callback(partial(self._finished, watch))
        watch.hear_campaign(campaign)
        subscription = Subscription(self, watch, customer)
        self._streams[customer] += 1
        watch.add(subscription)
        return subscription

    def leave(self, subscription: Subscription, watch: _Watch) -> None:
        """Take a subscriber out; the last one ends the watch."""
        if subscription not in watch.subscribers:
            return
        watch.subscribers.remove(subscription)
        self._streams[subscription.customer] -= 1
        if not watch.subscribers:
            if self._watches.get(watch.id) is watch:
                del self._watches[watch.id]
            if watch.task is not None:
                watch.task.cancel()

    def _finished(self, watch: _Watch, task: asyncio.Task[None]) -> None:
        # A watch that ended by itself, or by a fault of ours, must not be joined by anybody.
        if self._watches.get(watch.id) is watch:
            del self._watches[watch.id]
        if not task.cancelled() and task.exception() is not None:
            get_logger().error("watch_failed", exc_info=task.exception())
        for subscription in watch.subscribers:
            subscription.end("gone")

    def hear(self, received: Received) -> None:
        """Take a hint from the event bus."""
        for event in received.events:
            watch = self._watches.get(str(event.resource_id))
            if watch is None or event.left_out_bytes:
                # What was too large to be told is seen when the watch next asks.
                continue
            if event.resource == "campaign":
                heard = campaign_events.CampaignEvent.FromString(event.data)
                watch.hear_campaign(heard.campaign)
            else:
                watch.hear_pacing(dialer_events.PacingEvent.FromString(event.data))

    def close(self) -> None:
        """End every stream; new ones are refused."""
        self._is_closed = True
        for watch in self._watches.values():
            for subscription in watch.subscribers:
                subscription.end("shutdown")
