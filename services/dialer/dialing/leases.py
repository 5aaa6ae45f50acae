"""Keeps the leases of this dialer and one runner per lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import AppError
from services.common.log import get_logger
from services.dialer.dialing.held import Held
from services.dialer.dialing.runner import Runner
from services.dialer.domain.campaigns import Lease
from services.dialer.ports import Campaigns
from services.dialer.timers import wait_for

RENEW_SECONDS = 1.0
RETRY_SECONDS = 0.25
DRAIN_SECONDS = 5.0


class LeaseKeeper:
    """Discovers, renews and loses leases; starts and ends runners accordingly.

    A lease that could not be renewed in time is not lost here at once: its runner stops opening by
    itself (BOOTTIME), goes on with the calls it has, and dials again when a renewal succeeds.
    """

    def __init__(
        self,
        campaigns: Campaigns,
        clock: Clock,
        capacity: int,
        new_runner: Callable[[Held], Runner],
    ) -> None:
        self._campaigns = campaigns
        self._clock = clock
        self._capacity = capacity
        self._new_runner = new_runner
        self._held: dict[UUID, Held] = {}
        self._runners: dict[UUID, Runner] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._asking = asyncio.Lock()
        self._is_draining = False
        self._last_success = float("-inf")
        self._log = get_logger()

    @property
    def runners(self) -> list[Runner]:
        """The runners of the leases held."""
        return list(self._runners.values())

    def runner(self, campaign_id: UUID) -> Runner | None:
        """The runner of a campaign leased by this dialer."""
        return self._runners.get(campaign_id)

    @property
    def seconds_since_success(self) -> float:
        """Real seconds since the campaign service last answered; for health checks."""
        return self._clock.boottime() - self._last_success

    def wake(self) -> None:
        """Something happened to a campaign: look now."""
        self._woken.set()

    async def run(self) -> None:
        """Keep leases until cancelled; a failure of a runner passes through."""
        try:
            while True:
                self._woken.clear()
                pause = RENEW_SECONDS
                async with self._asking:
                    if not self._is_draining:
                        pause = await self._renew()
                self._raise_failures()
                await wait_for(self._woken, self._clock, real=pause)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def drain(self) -> None:
        """Stop dialing and wait for what is being opened; `release` follows when all is stored."""
        self._is_draining = True
        async with self._asking:
            # Leases that were on their way have arrived: they are to be handed back too.
            pass
        runners = self.runners
        for runner in runners:
            runner.stop()
        ends = [asyncio.ensure_future(runner.stopped()) for runner in runners]
        if ends:
            # An opening that nobody answers is left to the next holder.
            _, late = await asyncio.wait(ends, timeout=DRAIN_SECONDS)
            for each in late:
                each.cancel()

    async def release(self) -> None:
        """Hand every lease back, so that another dialer need not wait for their expiry."""
        held = [each.as_held() for each in self._held.values() if not each.is_lost]
        for each in self._held.values():
            each.is_lost = True
        if held:
            await self._campaigns.release(held)

    async def _renew(self) -> float:
        held = [each.as_held() for each in self._held.values()]
        # From before the asking: the lease may have begun that early.
        asked_at = self._clock.boottime()
        try:
            leases = await self._campaigns.acquire(self._capacity, held)
        except AppError as exc:
            self._log.warning("leases_not_renewed", error=str(exc), held=len(held))
            return RETRY_SECONDS
        self._last_success = self._clock.boottime()
        for lease in leases:
            self._take(lease, asked_at)
        kept = {lease.campaign_id for lease in leases}
        for campaign_id in [each for each in self._held if each not in kept]:
            self._lose(campaign_id)
        return RENEW_SECONDS

    def _take(self, lease: Lease, asked_at: float) -> None:
        valid_until = asked_at + lease.expires_in_ms / 1000
        held = self._held.get(lease.campaign_id)
        if held is None:
            self._begin(lease, valid_until)
            return
        changed = (
            lease.status is not held.lease.status
            or lease.run_number != held.lease.run_number
            or lease.stop_mode is not held.lease.stop_mode
            or lease.definition is not None
        )
        if lease.is_new or lease.fencing_token != held.lease.fencing_token:
            # Lost and got back: others may have opened attempts meanwhile.
            held.needs_takeover = True
            changed = True
        held.lease = lease
        held.valid_until = valid_until
        held.definition = lease.definition or held.definition
        if changed:
            self._runners[lease.campaign_id].lease_changed()

    def _begin(self, lease: Lease, valid_until: float) -> None:
        if lease.definition is None:
            # Said to be known, by a dialer of this name before us: asked anew with the next renewal.
            self._log.error("lease_without_definition", campaign=str(lease.campaign_id))
            return
        held = Held(lease, lease.definition, valid_until)
        runner = self._new_runner(held)
        self._held[lease.campaign_id] = held
        self._runners[lease.campaign_id] = runner
        self._tasks[lease.campaign_id] = asyncio.create_task(
            runner.run(), name=f"campaign {lease.campaign_id}"
        )
        self._log.info(
            "lease_taken",
            campaign=str(lease.campaign_id),
            run=lease.run_number,
            status=lease.status.value,
        )

    def _lose(self, campaign_id: UUID) -> None:
        held = self._held.pop(campaign_id)
        held.is_lost = True
        self._runners.pop(campaign_id).stop()
        self._log.info("lease_ended", campaign=str(campaign_id), run=held.lease.run_number)

    def _raise_failures(self) -> None:
        for campaign_id, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[campaign_id]
                task.result()
                if campaign_id in self._held and not self._is_draining:
                    raise RuntimeError(f"the runner of campaign {campaign_id} ended by itself")
