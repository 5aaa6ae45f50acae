"""Targets as their owners handle them, one by one or in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.common import ownership
from services.common.address import Address, normalise
from services.common.clock import Clock
from services.common.creation import refuse_other
from services.common.errors import (
    FailedPrecondition,
    InvalidArgument,
    invalid,
)
from services.common.ids import new_id
from services.common.limits import MAX_BATCH, SLOTS
from services.common.paging import Page, cut
from services.common.texts import check_data, check_texts
from services.outdial.domain import (
    TARGET_NOT_FOUND,
    Destinations,
    Outdial,
    Status,
    Target,
    delta,
    digest,
    owned,
    require_not_deleted,
    require_not_progressing,
    reset,
)
from services.outdial.ports import Begin, Change, Transaction


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A target to add: addresses as sent, by slot; those with an empty target are absent."""

    id: UUID | None = None
    name: str = ""
    detail: str = ""
    data: str = ""
    destinations: Sequence[Address] = ()


@dataclass(frozen=True, slots=True)
class TargetChanges:
    """Members to change; None leaves one as it is. `destinations` holds the slots to change."""

    name: str | None = None
    detail: str | None = None
    data: str | None = None
    destinations: Mapping[int, Address] = field(default_factory=dict)


class TargetService:
    """The use cases of the customer on targets."""

    def __init__(self, *, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def add_targets(
        self,
        customer_id: UUID,
        outdial_id: UUID,
        wanted: Sequence[NewTarget],
        *,
        is_one_request: bool = False,
    ) -> list[Target]:
        """Add 1..1,000 targets, all or none, in the order given.

        With an id that exists the same body returns that target as it is now, another AlreadyExists.
        The body is the target's own, or the whole list's when the ids stand for one request.
        """
        if not 1 <= len(wanted) <= MAX_BATCH:
            raise invalid("targets", f"{len(wanted)} targets", f"1..{MAX_BATCH} targets")
        now = self._clock.now()
        made = [
            # A microsecond apart, the last one now: lists and claims keep the order given.
            _new_target(each, index, customer_id, outdial_id, now + timedelta(microseconds=age))
            for index, (each, age) in enumerate(zip(wanted, range(1 - len(wanted), 1), strict=True))
        ]
        bodies = [_target_digest(target) for target in made]
        if is_one_request and len(made) > 1:
            bodies = [digest([body.hex() for body in bodies])] * len(made)
        digests = {
            each.id: body for body, each in zip(bodies, wanted, strict=True) if each.id is not None
        }
        if len({each.id for each in made}) < len(made):
            raise InvalidArgument("targets: the same id is given twice; ids must be distinct")
        async with self._begin() as tx:
            require_not_deleted(await _get(tx, customer_id, outdial_id))
            taken = await tx.targets.add(made, digests)
            for target_id, known in taken.items():
                refuse_other("target", target_id, known, digests.get(target_id))
            added = [each for each in made if each.id not in taken]
            if added:
                await tx.dialing.apply({outdial_id: delta((None, each) for each in added)})
                tx.events.targets(Change.CREATED, added)
            known_now = {each.id: each for each in await tx.targets.get_many(list(taken))}
            return [known_now.get(each.id, each) for each in made]

    async def get_target(self, customer_id: UUID, outdial_id: UUID, target_id: UUID) -> Target:
        """One target, also a deleted one; InvalidArgument when it is of another outdial."""
        async with self._begin() as tx:
            found = await tx.targets.get_many([target_id])
            return await _target(tx, found, customer_id, outdial_id, target_id)

    async def list_targets(
        self, customer_id: UUID, outdial_id: UUID, page: Page, status: Status | None
    ) -> tuple[list[Target], str]:
        """A page of those not deleted, newest first, and the token of the next page."""
        async with self._begin() as tx:
            await _get(tx, customer_id, outdial_id)
            return cut(await tx.targets.list(outdial_id, page, status), page)

    async def update_target(
        self, customer_id: UUID, outdial_id: UUID, target_id: UUID, changes: TargetChanges
    ) -> Target:
        """Change the members given; at least one usable destination must remain.

        FailedPrecondition for destinations of a target that is being dialed. A target that is done
        stays so: reset it to have it dialed again.
        """
        check_texts(name=changes.name, detail=changes.detail)
        check_data(changes.data)
        async with self._begin() as tx:
            found = await tx.targets.lock([target_id])
            target = await _target(tx, found, customer_id, outdial_id, target_id)
            _require_target_not_deleted(target)
            if changes.destinations:
                require_not_progressing(target, "change its destinations")
            destinations = list(target.destinations)
            for slot, address in changes.destinations.items():
                if not 0 <= slot < SLOTS:
                    raise invalid("destinations.index", slot, f"0..{SLOTS - 1}")
                destinations[slot] = normalise(address, field=f"destination_{slot}")
            after = replace(
                target,
                name=target.name if changes.name is None else changes.name,
                detail=target.detail if changes.detail is None else changes.detail,
                data=target.data if changes.data is None else changes.data,
                destinations=require_usable(destinations),
            )
            if after == target:
                return target
            return await self._save_target(tx, target, after, Change.UPDATED)

    async def delete_target(self, customer_id: UUID, outdial_id: UUID, target_id: UUID) -> Target:
        """Soft-delete; an attempt in flight goes on and changes nothing any more. Again: as it is."""
        async with self._begin() as tx:
            found = await tx.targets.lock([target_id])
            target = await _target(tx, found, customer_id, outdial_id, target_id)
            if target.tm_delete is not None:
                return target
            after = replace(target, tm_delete=self._clock.now())
            return await self._save_target(tx, target, after, Change.DELETED)

    async def reset_target(self, customer_id: UUID, outdial_id: UUID, target_id: UUID) -> Target:
        """Make it as if never tried; FailedPrecondition while it is being dialed."""
        async with self._begin() as tx:
            found = await tx.targets.lock([target_id])
            target = await _target(tx, found, customer_id, outdial_id, target_id)
            _require_target_not_deleted(target)
            require_not_progressing(target, "reset it")
            after = reset(target, self._clock.now())
            await tx.targets.save(after)
            await tx.dialing.apply({outdial_id: delta([(target, after)])})
            tx.events.targets(Change.UPDATED, [after])
            return after

    async def _save_target(
        self, tx: Transaction, before: Target, after: Target, change: Change
    ) -> Target:
        saved = replace(after, tm_update=self._clock.now(), revision=before.revision + 1)
        await tx.targets.save(saved)
        counted = delta([(before, saved)])
        if change is Change.DELETED:
            await tx.dialing.apply({saved.outdial_id: counted})
        tx.events.targets(change, [saved])
        return saved


def require_usable(destinations: Sequence[Address | None]) -> Destinations:
    """The five slots; InvalidArgument when none holds an address."""
    if all(each is None for each in destinations):
        raise InvalidArgument(
            "no destination has a target; accepted: at least one of destination_0..4 with a target",
            field="destination_0",
        )
    return tuple(destinations)


def _new_target(
    wanted: NewTarget, index: int, customer_id: UUID, outdial_id: UUID, tm: datetime
) -> Target:
    prefix = f"targets[{index}]."
    check_texts(name=wanted.name, detail=wanted.detail)
    check_data(wanted.data)
    if len(wanted.destinations) > SLOTS:
        given = f"{len(wanted.destinations)} addresses"
        raise invalid(f"{prefix}destinations", given, f"at most {SLOTS}")
    destinations: list[Address | None] = [None] * SLOTS
    for slot, address in enumerate(wanted.destinations):
        destinations[slot] = normalise(address, field=f"{prefix}destination_{slot}")
    return Target(
        id=wanted.id or new_id(),
        outdial_id=outdial_id,
        customer_id=customer_id,
        name=wanted.name,
        detail=wanted.detail,
        data=wanted.data,
        destinations=require_usable(destinations),
        tm_create=tm,
        tm_update=tm,
        tm_next_try=tm,
    )


def _target_digest(target: Target) -> bytes:
    destinations = [None if each is None else asdict(each) for each in target.destinations]
    return digest(str(target.outdial_id), target.name, target.detail, target.data, destinations)


def _require_target_not_deleted(target: Target) -> None:
    if target.tm_delete is not None:
        raise FailedPrecondition(f"target {target.id} is deleted", target_id=str(target.id))


async def _target(
    tx: Transaction,
    found: Sequence[Target],
    customer_id: UUID,
    outdial_id: UUID,
    target_id: UUID,
) -> Target:
    await _get(tx, customer_id, outdial_id)
    target = ownership.owned(
        next(iter(found), None), "target", target_id, customer_id, reason=TARGET_NOT_FOUND
    )
    if target.outdial_id != outdial_id:
        raise invalid("target_id", str(target_id), f"a target of outdial {outdial_id}")
    return target


async def _get(tx: Transaction, customer_id: UUID, outdial_id: UUID) -> Outdial:
    return owned(await tx.outdials.get(outdial_id), outdial_id, customer_id)
