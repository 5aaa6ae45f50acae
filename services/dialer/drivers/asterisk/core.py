"""The running part of the Asterisk driver: what it holds, what it tells, and its background tasks."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from services.common import outages
from services.common.clock import Clock
from services.common.log import get_logger
from services.common.tasks import cancel_all
from services.dialer.drivers.asterisk import inbound, requests
from services.dialer.drivers.asterisk.adoption import Adoption, Listing
from services.dialer.drivers.asterisk.archive import Archive
from services.dialer.drivers.asterisk.bridges import Bridges
from services.dialer.drivers.asterisk.calls import HeldCall
from services.dialer.drivers.asterisk.configuration import Configuration
from services.dialer.drivers.asterisk.link import Link
from services.dialer.drivers.asterisk.network import Network
from services.dialer.drivers.asterisk.slots import RENEW_SECONDS, SlotKeeper
from services.dialer.drivers.asterisk.snapshots import Snapshot
from services.dialer.drivers.asterisk.sounds import Sounds
from services.dialer.drivers.asterisk.speech import SpeechFailed
from services.dialer.drivers.asterisk.trunks import Trunk, Trunks
from services.dialer.drivers.asterisk.wire import Timer
from services.dialer.ports import Slots
from services.dialer.telephony import (
    Ended,
    Event,
    LinkChanged,
    Replaced,
    Taken,
)

REMEMBER_SECONDS = 900.0
"""Ended calls are remembered far longer than any placement may take."""
STRAY_SECONDS = 30.0
LOOK_SECONDS = 2.0
LEAVE_SECONDS = 2.0


class Core:
    """Holds calls and is what they are wired to (`wire.Wire`)."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        slots: Slots,
        dialer_id: str,
        clock: Clock,
        sounds: Sounds,
        recordings_folder: Path | None,
    ) -> None:
        self.clock = clock
        self._dialer_id = dialer_id
        self.slots = slots
        self.sounds = sounds
        self.archive = Archive(recordings_folder)
        self.held: dict[UUID, HeldCall] = {}
        self.trunk_of: dict[UUID, Trunk] = {}
        self.ended: OrderedDict[UUID, tuple[float, Ended | None]] = OrderedDict()
        self.strays: dict[UUID, float] = {}
        self.given_away: OrderedDict[UUID, float] = OrderedDict()  # calls that were taken
        self._events: list[Event] = []
        self._to_tell = asyncio.Event()
        self.replaced = ""
        self._was_connected = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.keeper = SlotKeeper(slots, dialer_id, clock)
        self.network = Network(
            configuration,
            clock,
            settle=partial(inbound.settle, self),
            on_event=partial(inbound.receive, self),
            on_change=self._link_changed,
        )
        self.trunks = Trunks(configuration, clock.boottime(), self.network.is_ready)
        self.bridges = Bridges(self, self.held)
        self.adoption = Adoption(
            self.network,
            self.keeper,
            slots,
            clock,
            dialer_id,
            held=self.held,
            hold=self._hold,
            adopted=self._adopted,
            tell=self.tell,
        )

    @property
    def connected(self) -> bool:
        """See Telephony."""
        return bool(not self.replaced and self.keeper.is_valid and self.network.ready)

    async def events(self) -> AsyncIterator[Sequence[Event]]:
        """See Telephony."""
        while True:
            await self._to_tell.wait()
            self._to_tell.clear()
            batch, self._events = self._events, []
            if batch:
                yield batch
            if self.replaced:
                raise Replaced(self.replaced)

    async def run(self) -> None:
        """See Telephony. Raises Replaced when another process has this dialer's slot."""
        try:
            slot = await self.keeper.acquire()
            get_logger().info("slot_leased", slot=slot, application=self.network.application(slot))
            self.network.own = slot
            self.network.open(slot)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_slots(), name="slots")
                tasks.create_task(self.adoption.run(), name="adoption")
                tasks.create_task(self._look_after(), name="look_after")
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            await _to_its_end(self._leave())

    async def _leave(self) -> None:
        await cancel_all(list(self._tasks))
        await self.network.close_all()
        self._link_changed()
        await self.sounds.close()
        if not self.replaced:
            try:
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self.keeper.leave()
            except Exception as error:
                # It runs out by itself.
                get_logger().warning("slot_not_given_back", error=str(error)[:200])

    async def _keep_slots(self) -> None:
        while True:
            await self.clock.sleep_real(RENEW_SECONDS)
            if self.replaced:
                raise Replaced(self.replaced)
            try:
                lost = await self.keeper.renew()
                await self._tend_extra(lost)
            except Replaced as error:
                self.fence(str(error))
                raise
            except Exception as error:
                if not outages.is_passing(error):
                    raise
                get_logger().warning("slot_not_renewed", error=str(error)[:200])
            self._link_changed()

    async def _tend_extra(self, lost: Collection[int]) -> None:
        """Leave taken slots that were lost, and give those back in which no call is left."""
        now = self.clock.boottime()
        for trunk in self.trunks.all:
            trunk.share(self.keeper.dialers, now)
        used = {call.link.application for call in self.held.values()}
        for slot in self.network.extra_slots:
            is_unused = self.adoption.is_idle and self.network.application(slot) not in used
            if slot in lost:
                self._lose(self.network.application(slot))
            if slot in lost or is_unused:
                await self.network.close(slot)
            if slot not in lost and is_unused:
                await self.keeper.give_back(slot)

    def _lose(self, application: str) -> None:
        """Another dialer has a slot that was taken once, and the calls in it."""
        for call in list(self.held.values()):
            if call.link.application == application:
                self.drop(call.call_id)
                self.tell(Taken(call.call_id, ""))

    async def _look_after(self) -> None:
        """Ask for calls whose end is overdue: the event that told it was lost, or they hang."""
        while True:
            await self.clock.sleep_real(LOOK_SECONDS)
            self.network.check()
            now = self.clock.boottime()
            for call in list(self.held.values()):
                if call.overdue and call.link.is_ready:
                    request = requests.hang_up(call.text)
                    call.link.send(request, partial(self._overdue, call))
            while self.ended and next(iter(self.ended.values()))[0] < now - REMEMBER_SECONDS:
                self.ended.popitem(last=False)
            while self.given_away and next(iter(self.given_away.values())) < now - REMEMBER_SECONDS:
                self.given_away.popitem(last=False)
            self.strays = {key: at for key, at in self.strays.items() if at > now - STRAY_SECONDS}

    def _overdue(self, call: HeldCall, answer: Any) -> None:
        if answer.status == 404 and not call.is_over:
            call.vanished("lost")

    # ------------------------------------------------------------------------- for the parts (Wire)

    def tell(self, *events: Event) -> None:
        """See Wire."""
        if events:
            self._events.extend(events)
            self._to_tell.set()

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """See Wire."""
        return asyncio.get_running_loop().call_later(seconds / self.clock.scale, action)

    def in_background(
        self, work: Awaitable[Any], then: Callable[[Any], None], failed: Callable[[str], None]
    ) -> None:
        """See Wire."""

        async def run() -> None:
            try:
                result = await work
            except (SpeechFailed, OSError) as error:
                failed(str(error))
            except Exception as error:
                # What a stranger's text or file can do is not all foreseen; the call must go on.
                get_logger().exception("sound_failed")
                failed(type(error).__name__)
            else:
                then(result)

        self.start(run())

    def start(self, work: Any) -> None:
        """Run a coroutine until it ends or this driver does."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def over(self, call_id: UUID) -> None:
        """See Wire."""
        call = self.held.pop(call_id, None)
        if call is None:
            return
        self.bridges.ended(call)
        self.adoption.ended(call_id)
        if (trunk := self.trunk_of.pop(call_id, None)) is not None:
            trunk.free()
        self.remember(call_id, call.end)

    def trunk_answered(self, call_id: UUID) -> None:
        """See Wire."""
        if (trunk := self.trunk_of.get(call_id)) is not None:
            trunk.answered()

    def trunk_failed(self, call_id: UUID, detail: str) -> None:
        """See Wire."""
        if (trunk := self.trunk_of.get(call_id)) is not None:
            trunk.failed(detail, self.clock.boottime())

    def fence(self, reason: str) -> None:
        """Another process has this dialer's place: nothing is placed here ever again."""
        if not self.replaced:
            self.replaced = reason
            get_logger().error("replaced", reason=reason)
            self._to_tell.set()
            self._link_changed()

    # ---------------------------------------------------------------------------------- inside

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            get_logger().error("background_failed", exc_info=error)

    def remember(self, call_id: UUID, ended: Ended | None) -> None:
        """This id was dialed, and is over."""
        self.ended[call_id] = (self.clock.boottime(), ended)

    def _hold(self, snapshot: Snapshot, link: Link) -> HeldCall:
        call = HeldCall(
            snapshot.call_id, link, self, ring_ms=snapshot.ring_ms, max_ms=snapshot.max_ms
        )
        self.held[snapshot.call_id] = call
        self.ended.pop(snapshot.call_id, None)
        trunk = self.trunks.named(link.pbx.name, snapshot.trunk)
        if trunk is not None:
            trunk.hold()
            self.trunk_of[snapshot.call_id] = trunk
        call.adopt(snapshot)
        return call

    def _adopted(self, call: HeldCall, listing: Listing) -> None:
        self.bridges.adopted(call, listing.pairs)

    def drop(self, call_id: UUID) -> None:
        """Hold a call no longer, without a word: it is another dialer's."""
        call = self.held.pop(call_id, None)
        if call is not None:
            self.given_away[call_id] = self.clock.boottime()
            call.plays.drop()
            if (trunk := self.trunk_of.pop(call_id, None)) is not None:
                trunk.free()

    def _link_changed(self, link: Link | None = None) -> None:
        if link is not None and link.is_replaced:
            if self.network.slot(link.application) == self.network.own:
                self.fence(f"another process opened {link.application} at PBX {link.pbx.name}")
            else:
                self._lose(link.application)
        connected = self.connected
        came_back = link is not None and link.is_ready
        if connected != self._was_connected or (connected and came_back):
            self._was_connected = connected
            self.tell(LinkChanged(connected))
        if connected:
            self.adoption.wake()


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Do it whole, though this task is cancelled again meanwhile: it takes few seconds at most."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()
