"""Available agents per campaign, asked for all campaigns in one call and never believed for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import AppError
from services.common.log import get_logger
from services.dialer.domain.queuecalls import CapacityAsk
from services.dialer.ports import Queues
from services.dialer.timers import wait_for

GRANT_SECONDS = 2.0
"""How long the queue service keeps an agent for the campaign it was granted to (real)."""
REFRESH_SECONDS = 0.8


@dataclass(slots=True)
class _Grant:
    available: int
    until: float  # BOOTTIME


class CapacityBook:
    """The latest grants. `wanted` lists who asks; `granted` wakes a campaign whose number is new."""

    def __init__(
        self,
        queues: Queues,
        clock: Clock,
        wanted: Callable[[], Sequence[CapacityAsk]],
        granted: Callable[[UUID], None],
    ) -> None:
        self._queues = queues
        self._clock = clock
        self._wanted = wanted
        self._granted = granted
        self._grants: dict[UUID, _Grant] = {}
        self._taken_during_ask: set[UUID] = set()
        self._stale = asyncio.Event()
        self._log = get_logger()

    def available(self, campaign_id: UUID) -> int | None:
        """Agents granted to the campaign; None when that is not known (any more)."""
        grant = self._grants.get(campaign_id)
        if grant is None or grant.until <= self._clock.boottime():
            return None
        return grant.available

    def taken(self, campaign_id: UUID) -> None:
        """One of the campaign's agents was reserved: it is available no more."""
        grant = self._grants.get(campaign_id)
        if grant is not None:
            grant.available = max(0, grant.available - 1)
        # An answer under way may have counted the agent still.
        self._taken_during_ask.add(campaign_id)
        self._stale.set()

    def ask_again(self) -> None:
        """Something happened to agents or campaigns: ask at once."""
        self._stale.set()

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await wait_for(self._stale, self._clock, real=REFRESH_SECONDS)
            self._stale.clear()
            self._taken_during_ask.clear()
            asks = list(self._wanted())
            if not asks:
                continue
            asked_at = self._clock.boottime()
            try:
                answers = await self._queues.capacity(asks)
            except AppError as exc:
                self._log.warning("capacity_unknown", error=str(exc))
                await self._clock.sleep_real(0.2)
                self._stale.set()
                continue
            for answer in answers:
                if answer.campaign_id not in self._taken_during_ask:
                    self._note(answer.campaign_id, answer.available, asked_at + GRANT_SECONDS)

    def _note(self, campaign_id: UUID, available: int, until: float) -> None:
        before = self.available(campaign_id)
        self._grants[campaign_id] = _Grant(available, until)
        if before != available:
            self._granted(campaign_id)

    def forget(self, campaign_id: UUID) -> None:
        """The campaign is run here no more."""
        self._grants.pop(campaign_id, None)
