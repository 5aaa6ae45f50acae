"""Handing campaigns to dialers: discover, renew, take over, hand back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.campaign.campaigns.domain_leases import HeldLease, Lease, RunLimits, run_definition
from services.campaign.campaigns.ports import Begin


class LeaseService:
    """The use cases of leases. A dialer makes one call at a time."""

    def __init__(self, *, begin: Begin, limits: RunLimits) -> None:
        self._begin = begin
        self._limits = limits
        self._limits_revision = limits.revision

    async def acquire_leases(
        self, dialer_id: str, capacity: int, held: Sequence[HeldLease]
    ) -> list[Lease]:
        """Every lease the dialer holds after the call: those renewed, and new ones up to `capacity`.

        A held one that is missing was lost or has ended. Leases above the capacity are renewed too:
        only the dialer can tell which of them to hand back.
        """
        known = {each.campaign_id: each.definition_revision for each in held}
        async with self._begin() as tx:
            renewed = await tx.leases.renew(dialer_id, held) if held else set()
            room = capacity - len(renewed)
            taken = await tx.leases.take(dialer_id, renewed, room) if room > 0 else set()
            found = await tx.leases.states(renewed | taken) if renewed or taken else ()
            # A dialer that knows the definition is to hear of a change of the settings, too.
            states = [
                replace(
                    each, definition_revision=f"{each.definition_revision}/{self._limits_revision}"
                )
                for each in found
            ]
            changed = {
                each.campaign_id
                for each in states
                if each.campaign_id in taken
                or known.get(each.campaign_id) != each.definition_revision
            }
            fresh = await tx.leases.definitions(changed) if changed else ()
        definitions = {each.campaign.id: run_definition(each, self._limits) for each in fresh}
        return [
            Lease(
                state=each,
                is_new=each.campaign_id in taken,
                definition=definitions.get(each.campaign_id),
            )
            for each in states
        ]

    async def release_leases(self, dialer_id: str, held: Sequence[HeldLease]) -> None:
        """Let other dialers take these campaigns at once."""
        if held:
            async with self._begin() as tx:
                await tx.leases.release(dialer_id, held)
