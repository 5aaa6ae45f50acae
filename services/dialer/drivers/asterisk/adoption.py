"""Goes on with calls that another dialer began.

A dead dialer's calls wait in its slot's application: the slot is leased and the application opened
before anything else. Calls of a dialer that lives are moved over one by one, after it was told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.common import outages
from services.common.clock import Clock
from services.common.log import get_logger
from services.dialer.drivers.asterisk import requests, snapshots
from services.dialer.drivers.asterisk.calls import HeldCall
from services.dialer.drivers.asterisk.link import Link
from services.dialer.drivers.asterisk.network import Network
from services.dialer.drivers.asterisk.plays import Kind
from services.dialer.drivers.asterisk.recordings import parse_snoop
from services.dialer.drivers.asterisk.slots import SlotKeeper
from services.dialer.drivers.asterisk.snapshots import Snapshot
from services.dialer.ports import Slots
from services.dialer.telephony import Adopted, Ended, Missing, TelephonyUnavailable

RETRY_SECONDS = 0.3
OPEN_SECONDS = 5.0
_LOOK_SECONDS = 0.02


@dataclass(slots=True)
class Listing:
    """What the PBXs say at one moment."""

    calls: dict[UUID, tuple[str, Snapshot]] = field(default_factory=dict)  # with the PBX's name
    pairs: dict[UUID, tuple[UUID, str]] = field(default_factory=dict)
    snoops: dict[UUID, list[str]] = field(default_factory=dict)  # recordings that are on


async def look(network: Network) -> Listing:
    """List every PBX. Raises TelephonyUnavailable when one of them cannot be asked."""
    if not network.is_whole:
        raise TelephonyUnavailable("not every PBX can be reached")
    listing = Listing()
    for link in network.ready:
        channels = await link.fetch(requests.list_channels())
        bridges = await link.fetch(requests.list_bridges())
        if not (channels.is_good and bridges.is_good):
            raise TelephonyUnavailable(f"PBX {link.pbx.name} refused: {channels.detail}")
        # A PBX may serve other deployments too.
        found = {
            call_id: each
            for call_id, each in snapshots.call_snapshots(channels.body).items()
            if network.slot(each.application) is not None
        }
        listing.calls |= {call_id: (link.pbx.name, each) for call_id, each in found.items()}
        listing.pairs |= snapshots.bridged_pairs(bridges.body)
        for channel in channels.body:
            if snoop := parse_snoop(channel["id"]):
                listing.snoops.setdefault(snoop[0], []).append(snoop[1])
    return listing


class Adoption:
    """Answers every id of `adopt`, in the background."""

    def __init__(
        self,
        network: Network,
        keeper: SlotKeeper,
        slots: Slots,
        clock: Clock,
        dialer_id: str,
        *,
        held: Mapping[UUID, HeldCall],
        hold: Callable[[Snapshot, Link], HeldCall],
        adopted: Callable[[HeldCall, Listing], None],
        tell: Callable[..., None],
    ) -> None:
        self._network = network
        self._keeper = keeper
        self._slots = slots
        self._clock = clock
        self._dialer_id = dialer_id
        self._held = held
        self._hold = hold
        self._adopted = adopted
        self._tell = tell
        self._wishes: dict[UUID, None] = {}
        self._woken = asyncio.Event()

    def ask(self, call_id: UUID) -> None:
        """This call is wanted."""
        self._wishes[call_id] = None
        self._woken.set()

    def wake(self) -> None:
        """The link is back."""
        self._woken.set()

    @property
    def is_idle(self) -> bool:
        """Nothing is wanted."""
        return not self._wishes

    async def run(self) -> None:
        """Go on with what is wanted, until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._wishes and self._network.is_whole:
                try:
                    await self._round()
                except TelephonyUnavailable:
                    break  # woken by the link
                except Exception as error:
                    if not outages.is_passing(error):
                        raise
                    get_logger().warning("adoption_delayed", error=str(error)[:200])
                if self._wishes:
                    await self._clock.sleep_real(RETRY_SECONDS)

    async def _round(self) -> None:
        listing = await look(self._network)
        holders = {holder.slot: holder for holder in await self._slots.holders()}
        for call_id in list(self._wishes):
            found = listing.calls.get(call_id)
            if found is None:
                if call_id in self._held:
                    continue  # just being placed; its own events tell
                self._answered(call_id, Missing(call_id))
                continue
            pbx, snapshot = found
            slot = self._network.slot(snapshot.application)
            link = self._network.link(pbx, slot) if slot is not None else None
            if link is None and slot is not None:
                holder = holders.get(slot)
                is_free = holder is None or not holder.is_living
                is_mine = holder is not None and holder.dialer_id == self._dialer_id
                if (is_free or is_mine) and await self._keeper.take(slot):
                    self._network.open(slot)
                    link = self._network.link(pbx, slot)
                elif not await self._moved(pbx, snapshot):
                    continue
                else:
                    link = self._network.link(pbx)
            if link is not None and await self._is_open(link):
                await self._go_on(snapshot, link, listing)

    async def _is_open(self, link: Link) -> bool:
        """Wait for a link that was just opened."""
        until = self._clock.boottime() + OPEN_SECONDS
        while not link.is_ready and self._clock.boottime() < until:
            await self._clock.sleep_real(_LOOK_SECONDS)
        return link.is_ready

    async def _moved(self, pbx: str, snapshot: Snapshot) -> bool:
        """Move a call that a living dialer holds to the own application; False: try again later."""
        link = self._network.link(pbx)
        if link is None:
            return False
        call, own = str(snapshot.call_id), link.application
        await link.ask(requests.tell_taken(snapshot.application, call, self._dialer_id))
        # Where it goes when it is answered, or comes back from a detection.
        await link.ask(requests.hand_to(call, own))
        answer = await link.ask(requests.get_channel(call))
        fresh = snapshots.call_snapshots([answer.body]) if answer.is_good else {}
        now = fresh.get(snapshot.call_id)
        if now is None or now.entered in ("", own):
            return True
        return (await link.ask(requests.move(call, own))).is_good

    async def _go_on(self, snapshot: Snapshot, link: Link, listing: Listing) -> None:
        call_id = snapshot.call_id
        call = self._held.get(call_id)
        is_fresh = call is None
        if call is None:
            call = self._hold(snapshot, link)
            for recording_id in listing.snoops.get(call_id, ()):
                call.recordings.adopt(recording_id, snapshot.application)
        # Once more, now that its events come here: it may have ended since the listing.
        answer = await link.ask(requests.get_channel(call.text))
        fresh = snapshots.call_snapshots([answer.body]) if answer.is_good else {}
        if call_id not in self._wishes:
            return
        if call_id not in fresh:
            if call_id in self._held:
                call.drop()
                self._answered(call_id, Missing(call_id))
            else:
                self._wishes.pop(call_id, None)  # its end was told
            return
        call.stands(fresh[call_id])
        if is_fresh:
            await self._answer(call, fresh[call_id], listing)
            return
        # Held all along: somebody only looked again.
        on = call.plays.current
        live = fresh[call_id].live_call(self._dialer_id, call.peer, on.play_id if on else "")
        self._answered(call_id, Adopted(call_id, live))

    async def _answer(self, call: HeldCall, snapshot: Snapshot, listing: Listing) -> None:
        kind = snapshot.play.partition(":")[0]
        is_on = kind == Kind.MUSIC
        if kind == Kind.MEDIA:
            playback = call.plays.playback_id(snapshot.play.partition(":")[2])
            is_on = (await call.link.ask(requests.get_playback(playback))).is_good
        if call.call_id not in self._held:
            self._wishes.pop(call.call_id, None)
            return
        play_id, finished = call.plays.adopt(snapshot.play, is_on=is_on)
        self._adopted(call, listing)
        live = snapshot.live_call(self._dialer_id, call.peer, play_id, finished)
        self._answered(call.call_id, Adopted(call.call_id, live))

    def _answered(self, call_id: UUID, event: Adopted | Missing | Ended) -> None:
        if self._wishes.pop(call_id, self) is None:
            self._tell(event)

    def ended(self, call_id: UUID) -> None:
        """The end of this call was told, which is the answer."""
        self._wishes.pop(call_id, None)
