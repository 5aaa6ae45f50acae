"""Keeps this dialer's slots leased, and knows when they can no longer be relied on."""

from __future__ import annotations

from uuid import UUID

from services.common import outages
from services.common.backoff import Backoff
from services.common.clock import Clock
from services.common.ids import new_id
from services.common.log import get_logger
from services.dialer.domain.slots import LEASE_SECONDS
from services.dialer.ports import Slots
from services.dialer.telephony import Replaced

RENEW_SECONDS = 1.0
MARGIN_SECONDS = 1.0
"""Nothing is placed in the last moments of a lease that could not be renewed."""


class SlotKeeper:
    """The slots of one process: its own, and those whose calls it went on with."""

    def __init__(self, slots: Slots, dialer_id: str, clock: Clock) -> None:
        self._slots = slots
        self._dialer_id = dialer_id
        self._clock = clock
        self._instance: UUID = new_id()
        self._good_until = float("-inf")
        self.own = 0
        self.extra: set[int] = set()
        self.dialers = 1

    @property
    def is_valid(self) -> bool:
        """The own slot is this process's, for certain."""
        return self.own > 0 and self._clock.boottime() < self._good_until

    async def acquire(self) -> int:
        """Get a slot, however long it takes."""
        backoff = Backoff()
        while True:
            asked_at = self._clock.boottime()
            try:
                slot = await self._slots.acquire(self._dialer_id, self._instance)
            except Exception as error:
                if not outages.is_passing(error):
                    raise
                get_logger().warning("slots_unknown", error=str(error)[:200])
                slot = None
            if slot is not None:
                self.own = slot
                self._renewed(asked_at)
                return slot
            await self._clock.sleep_real(backoff.failed())

    async def take(self, slot: int) -> bool:
        """Get a dead dialer's slot too. Raises what is passing while the table cannot be asked."""
        taken = await self._slots.take(slot, self._dialer_id, self._instance)
        if taken:
            self.extra.add(slot)
        return taken

    async def give_back(self, slot: int) -> None:
        """No call is left in a taken slot."""
        self.extra.discard(slot)
        await self._slots.release(self._instance, slot)

    async def leave(self) -> None:
        """Give all back."""
        await self._slots.release(self._instance)

    async def renew(self) -> frozenset[int]:
        """Renew once; taken slots that were lost meanwhile. Raises Replaced when the own one was."""
        asked_at = self._clock.boottime()
        renewal = await self._slots.renew(self._instance)
        if self.own not in renewal.held:
            self._good_until = float("-inf")
            raise Replaced(f"slot {self.own} of {self._dialer_id} was taken by another process")
        self._renewed(asked_at)
        self.dialers = renewal.dialers
        lost = frozenset(self.extra - renewal.held)
        self.extra -= lost
        return lost

    def _renewed(self, asked_at: float) -> None:
        # From before the asking: the lease may run from then.
        self._good_until = asked_at + LEASE_SECONDS - MARGIN_SECONDS
