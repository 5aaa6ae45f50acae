"""Outdials as their owners handle them, and their binding to campaigns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from services.common.clock import Clock
from services.common.creation import same_or_taken
from services.common.errors import FailedPrecondition, invalid
from services.common.ids import new_id
from services.common.paging import Page, cut
from services.common.texts import check_data, check_texts
from services.outdial.domain import (
    OUTDIAL_IN_USE,
    Outdial,
    Progress,
    digest,
    owned,
    require_not_deleted,
)
from services.outdial.ports import Begin, Campaigns, Change, Transaction


@dataclass(frozen=True, slots=True)
class NewOutdial:
    """An outdial to make; None as id lets the service choose."""

    id: UUID | None = None
    campaign_id: UUID | None = None
    name: str = ""
    detail: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True)
class OutdialChanges:
    """Members to change; None leaves one as it is. `campaign_id` counts when `is_binding`."""

    name: str | None = None
    detail: str | None = None
    data: str | None = None
    is_binding: bool = False
    campaign_id: UUID | None = None


class OutdialService:
    """The use cases of the customer, and the binding by the campaign process."""

    def __init__(self, *, begin: Begin, campaigns: Campaigns, clock: Clock) -> None:
        self._begin = begin
        self._campaigns = campaigns
        self._clock = clock

    # -- Outdials ----------------------------------------------------------------------------------

    async def create_outdial(self, customer_id: UUID, wanted: NewOutdial) -> Outdial:
        """Make an outdial. With an id that exists: the same body returns it, another AlreadyExists."""
        check_texts(name=wanted.name, detail=wanted.detail)
        check_data(wanted.data)
        outdial = Outdial(
            id=wanted.id or new_id(),
            customer_id=customer_id,
            campaign_id=wanted.campaign_id,
            name=wanted.name,
            detail=wanted.detail,
            data=wanted.data,
            revision=1,
            tm_create=self._clock.now(),
        )
        body = digest(
            str(customer_id),
            str(wanted.campaign_id),
            wanted.name,
            wanted.detail,
            wanted.data,
        )
        if wanted.campaign_id is not None:
            async with self._begin() as tx:
                # Before the campaign service is asked, which may be away.
                if wanted.id is not None and await tx.outdials.get(outdial.id) is not None:
                    return await same_or_taken(tx.outdials, outdial, body, "outdial")
            await self._require_campaign(customer_id, wanted.campaign_id)
        async with self._begin() as tx:
            if not await tx.outdials.add(outdial, body):
                return await same_or_taken(tx.outdials, outdial, body, "outdial")
            tx.events.outdial(Change.CREATED, outdial)
        return outdial

    async def get_outdial(self, customer_id: UUID, outdial_id: UUID) -> Outdial:
        """One outdial, also a deleted one."""
        async with self._begin() as tx:
            return await _get(tx, customer_id, outdial_id)

    async def list_outdials(self, customer_id: UUID, page: Page) -> tuple[list[Outdial], str]:
        """A page of those not deleted, newest first, and the token of the next page."""
        async with self._begin() as tx:
            return cut(await tx.outdials.list(customer_id, page), page)

    async def update_outdial(
        self, customer_id: UUID, outdial_id: UUID, changes: OutdialChanges
    ) -> Outdial:
        """Change the members given; nothing is written when all are as they were.

        The campaign can be exchanged or released while the present one stands still: otherwise
        FailedPrecondition.
        """
        check_texts(name=changes.name, detail=changes.detail)
        check_data(changes.data)
        before = await self.get_outdial(customer_id, outdial_id)
        is_rebound = changes.is_binding and changes.campaign_id != before.campaign_id
        if is_rebound:
            # Outside of the transaction: no lock waits for another service.
            await self._require_free(before)
            if changes.campaign_id is not None:
                await self._require_campaign(customer_id, changes.campaign_id)
        async with self._begin() as tx:
            outdial = owned(await tx.outdials.lock(outdial_id), outdial_id, customer_id)
            require_not_deleted(outdial)
            if is_rebound and outdial.campaign_id != before.campaign_id:
                raise FailedPrecondition(
                    f"outdial {outdial_id} was bound by somebody else meanwhile; read it again",
                    outdial_id=str(outdial_id),
                )
            if is_rebound:
                await _require_nothing_progressing(tx, outdial, "bind it to another campaign")
            return await self._save(tx, outdial, _changed(outdial, changes))

    async def delete_outdial(self, customer_id: UUID, outdial_id: UUID) -> Outdial:
        """Soft-delete; FailedPrecondition while targets are being dialed. Again: as it is."""
        async with self._begin() as tx:
            outdial = owned(await tx.outdials.lock(outdial_id), outdial_id, customer_id)
            if outdial.tm_delete is not None:
                return outdial
            await _require_nothing_progressing(tx, outdial, "delete it")
            now = self._clock.now()
            deleted = replace(outdial, tm_delete=now, tm_update=now, revision=outdial.revision + 1)
            await tx.outdials.save(deleted)
            tx.events.outdial(Change.DELETED, deleted)
            return deleted

    async def bind_outdial(
        self,
        customer_id: UUID | None,
        outdial_id: UUID,
        campaign_id: UUID | None,
        expected_campaign_id: UUID | None,
    ) -> Outdial:
        """Set the campaign by compare-and-set; None releases.

        Accepted holders are nobody, `campaign_id` and `expected_campaign_id`; with any other one
        FailedPrecondition OUTDIAL_IN_USE that names it. Repeating it changes nothing.
        """
        async with self._begin() as tx:
            outdial = owned(await tx.outdials.lock(outdial_id), outdial_id, customer_id)
            if campaign_id is not None:
                require_not_deleted(outdial)
            if outdial.campaign_id not in (None, campaign_id, expected_campaign_id):
                raise FailedPrecondition(
                    f"outdial {outdial_id} is used by campaign {outdial.campaign_id}",
                    reason=OUTDIAL_IN_USE,
                    outdial_id=str(outdial_id),
                    campaign_id=str(outdial.campaign_id),
                )
            # Claims look at the binding with this lock held.
            await tx.dialing.lock(outdial_id)
            return await self._save(tx, outdial, replace(outdial, campaign_id=campaign_id))

    async def get_progress(self, customer_id: UUID, outdial_id: UUID) -> Progress:
        """Its counters."""
        async with self._begin() as tx:
            state = await tx.dialing.state(outdial_id)
            owned(None if state is None else state.outdial, outdial_id, customer_id)
            assert state is not None
            return state.progress

    async def _save(self, tx: Transaction, before: Outdial, after: Outdial) -> Outdial:
        if after == before:
            return before
        saved = replace(after, tm_update=self._clock.now(), revision=before.revision + 1)
        await tx.outdials.save(saved)
        tx.events.outdial(Change.UPDATED, saved)
        return saved

    async def _require_campaign(self, customer_id: UUID, campaign_id: UUID) -> None:
        state = await self._campaigns.state(customer_id, campaign_id)
        if state is None or state.is_deleted:
            raise invalid("campaign_id", str(campaign_id), "a campaign that exists")

    async def _require_free(self, outdial: Outdial) -> None:
        if outdial.campaign_id is None:
            return
        holder = await self._campaigns.state(outdial.customer_id, outdial.campaign_id)
        if holder is not None and not holder.is_deleted and not holder.is_stopped:
            raise FailedPrecondition(
                f"campaign {outdial.campaign_id} is dialing outdial {outdial.id}; stop it first",
                outdial_id=str(outdial.id),
                campaign_id=str(outdial.campaign_id),
            )


def _changed(outdial: Outdial, changes: OutdialChanges) -> Outdial:
    return replace(
        outdial,
        name=outdial.name if changes.name is None else changes.name,
        detail=outdial.detail if changes.detail is None else changes.detail,
        data=outdial.data if changes.data is None else changes.data,
        campaign_id=changes.campaign_id if changes.is_binding else outdial.campaign_id,
    )


async def _get(tx: Transaction, customer_id: UUID, outdial_id: UUID) -> Outdial:
    return owned(await tx.outdials.get(outdial_id), outdial_id, customer_id)


async def _require_nothing_progressing(tx: Transaction, outdial: Outdial, wish: str) -> None:
    """With the counters locked, so that no claim begins before this transaction ends."""
    state = await tx.dialing.lock(outdial.id)
    if state is not None and state.progress.progressing:
        raise FailedPrecondition(
            f"{state.progress.progressing} targets of outdial {outdial.id} are being dialed; "
            f"{wish} when their attempts have ended",
            outdial_id=str(outdial.id),
        )
