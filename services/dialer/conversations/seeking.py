"""Asking the queue service for agents: all waiting callers of this dialer in one call.

Woken by events and by a tick that also renews reservations and hears of kicks and time limits; of a
kick also as soon as its event is heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import AppError
from services.common.log import get_logger
from services.dialer.conversations.stays import Stays, StayState
from services.dialer.domain.queuecalls import QueueNews
from services.dialer.ports import Queues
from services.dialer.timers import wait_for

TICK_SECONDS = 1.0


class Seeker:
    """See the module. `run` is a background task."""

    def __init__(
        self,
        queues: Queues,
        stays: Stays,
        clock: Clock,
        untold: Callable[[], Collection[UUID]],
        heard: Callable[[QueueNews], None],
    ) -> None:
        """`untold` names queuecalls of which something is still to be reported, `heard` takes news."""
        self._queues = queues
        self._stays = stays
        self._clock = clock
        self._untold = untold
        self._heard = heard
        self._woken = asyncio.Event()
        self._next_tick = 0.0
        self._is_frozen = False
        self._log = get_logger()

    def wake(self) -> None:
        """Something happened that may give a waiting caller an agent."""
        self._woken.set()

    def look(self, queuecall_ids: Collection[UUID]) -> None:
        """These have ended: when one of them is held here, hear at once why."""
        if any(self._stays.get(each) is not None for each in queuecall_ids):
            self._next_tick = 0.0
            self.wake()

    def freeze(self) -> None:
        """Ask for nobody any more: the callers are being handed over to another dialer."""
        self._is_frozen = True

    async def run(self) -> None:
        """Ask for agents until cancelled."""
        while True:
            await wait_for(self._woken, self._clock, real=TICK_SECONDS)
            self._woken.clear()
            try:
                await self._ask()
            except AppError as exc:
                self._log.warning("queue_not_answering", error=str(exc))
                await self._clock.sleep_real(0.2)

    async def _ask(self) -> None:
        if self._is_frozen:
            return
        boottime = self._clock.boottime()
        is_tick = boottime >= self._next_tick
        # Before the queue knows that an agent did not answer it would only offer the same again.
        untold = self._untold()
        waiting = [
            stay.queuecall_id
            for stay in self._stays.in_state(StayState.WAITING)
            if stay.not_before <= boottime and stay.queuecall_id not in untold
        ]
        held = self._ids(StayState.RINGING, StayState.BRIDGING) if is_tick else []
        service = self._ids(StayState.SERVICE) if is_tick else []
        if is_tick:
            self._next_tick = boottime + TICK_SECONDS * 0.9
        if waiting or held or service:
            news = await self._queues.assign(waiting, held, service)
            if not self._is_frozen:
                self._heard(news)

    def _ids(self, *states: StayState) -> list[UUID]:
        return [stay.queuecall_id for stay in self._stays.in_state(*states)]
