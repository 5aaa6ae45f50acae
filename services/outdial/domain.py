"""Outdials and targets: what they are, and what may become of a target. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.common import ownership
from services.common.address import Address
from services.common.errors import FailedPrecondition
from services.common.limits import SLOTS

OUTDIAL_NOT_FOUND = "OUTDIAL_NOT_FOUND"
TARGET_NOT_FOUND = "OUTDIAL_TARGET_NOT_FOUND"
OUTDIAL_IN_USE = "OUTDIAL_IN_USE"

Destinations = tuple[Address | None, ...]
"""Exactly five, by slot."""


class Status(StrEnum):
    """Where a target stands: idle -> progressing -> idle or done; done -> idle by reset or reopening."""

    IDLE = "idle"
    PROGRESSING = "progressing"
    DONE = "done"


class Result(StrEnum):
    """Outcome of a target that is done."""

    NONE = ""
    SUCCESS = "success"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Outdial:
    """A list of people to reach. `campaign_id` is the only campaign that may claim from it."""

    id: UUID
    customer_id: UUID
    campaign_id: UUID | None
    name: str
    detail: str
    data: str
    revision: int
    tm_create: datetime
    tm_update: datetime | None = None
    tm_delete: datetime | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One person with up to five addresses.

    `attempt_id` and `attempt_slot` are set while progressing, `tm_next_try` (domain time) while idle.
    `is_final` is set when nobody may dial again whatever tries a later plan allows.
    """

    id: UUID
    outdial_id: UUID
    customer_id: UUID
    name: str
    detail: str
    data: str
    destinations: Destinations
    tm_create: datetime
    tm_update: datetime
    status: Status = Status.IDLE
    result: Result = Result.NONE
    try_counts: tuple[int, ...] = (0,) * SLOTS
    tm_next_try: datetime | None = None
    attempt_id: UUID | None = None
    attempt_slot: int | None = None
    is_final: bool = False
    revision: int = 1
    tm_delete: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a claim needs of an outplan: tries allowed per slot, and the types the carrier can dial."""

    max_try_counts: tuple[int, ...]
    address_types: frozenset[str]

    def adds_to(self, before: Plan) -> bool:
        """Whether some target without tries left under `before` may have one under this plan."""
        has_more = any(
            now > then for now, then in zip(self.max_try_counts, before.max_try_counts, strict=True)
        )
        return has_more or not self.address_types <= before.address_types


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one attempt. `tm_end` and `try_interval` are domain time."""

    attempt_id: UUID
    outdial_id: UUID
    target_id: UUID
    is_success: bool
    is_refunded: bool
    is_final: bool
    tm_end: datetime
    try_interval: timedelta
    max_try_counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A target taken for one attempt: which address, and the how-manieth try on it (from 1)."""

    attempt_id: UUID
    target_id: UUID
    name: str
    detail: str
    data: str
    destination: Address
    slot: int
    try_count: int


@dataclass(frozen=True, slots=True)
class Progress:
    """An outdial's targets that are not deleted, by where they stand, in one snapshot.

    `tm_next_due` is never later than the earliest next try of an idle target; None when none is idle.
    """

    outdial_id: UUID
    idle: int
    progressing: int
    success: int
    fail: int
    is_reopening: bool
    tm_next_due: datetime | None

    @property
    def total(self) -> int:
        """All of them."""
        return self.idle + self.progressing + self.success + self.fail


@dataclass(frozen=True, slots=True)
class Delta:
    """A change of an outdial's counters, and the earliest next try among the targets made idle."""

    idle: int = 0
    progressing: int = 0
    success: int = 0
    fail: int = 0
    due: datetime | None = None


# -- What may be done with an outdial and a target -------------------------------------------------


def owned(outdial: Outdial | None, outdial_id: UUID, customer_id: UUID | None) -> Outdial:
    """See ownership.owned."""
    return ownership.owned(outdial, "outdial", outdial_id, customer_id, reason=OUTDIAL_NOT_FOUND)


def digest(*body: object) -> bytes:
    """What tells one body from another when the same id is used again. Of what JSON can hold."""
    return hashlib.sha256(json.dumps(body).encode()).digest()


def require_not_deleted(outdial: Outdial) -> None:
    """FailedPrecondition for a deleted outdial."""
    if outdial.tm_delete is not None:
        raise FailedPrecondition(f"outdial {outdial.id} is deleted", outdial_id=str(outdial.id))


def require_bound(outdial: Outdial, campaign_id: UUID) -> None:
    """FailedPrecondition unless the campaign may claim from the outdial."""
    require_not_deleted(outdial)
    if outdial.campaign_id != campaign_id:
        holder = f"bound to campaign {outdial.campaign_id}" if outdial.campaign_id else "free"
        raise FailedPrecondition(
            f"outdial {outdial.id} is {holder}, not bound to campaign {campaign_id}",
            outdial_id=str(outdial.id),
            campaign_id=str(outdial.campaign_id or ""),
        )


def require_not_progressing(target: Target, wish: str) -> None:
    """FailedPrecondition while an attempt on the target is open."""
    if target.status is Status.PROGRESSING:
        raise FailedPrecondition(
            f"target {target.id} is being dialed; {wish} when its attempt has ended",
            target_id=str(target.id),
        )


def slot_with_tries(
    destinations: Destinations,
    try_counts: Sequence[int],
    max_try_counts: Sequence[int],
    types: Container[str] | None = None,
) -> int | None:
    """The lowest slot that has an address and a try left, of one of the types if they are given."""
    for slot, destination in enumerate(destinations):
        if destination is None or try_counts[slot] >= max_try_counts[slot]:
            continue
        if types is None or destination.type in types:
            return slot
    return None


# -- What becomes of a target ----------------------------------------------------------------------


def settled(target: Target, settlement: Settlement, latest: Plan | None, now: datetime) -> Target:
    """The progressing target after its attempt.

    Reached, or spoken to (`is_final`): done. A refunded try is given back, but the next one waits the
    interval like any other, so that starting and stopping in a loop does not ring anybody without end.
    Out of tries only when both the attempt's plan and the `latest` one known say so: the plan may have
    changed during the attempt, and the next claim has the last word.
    """
    counts = _given_back(target) if settlement.is_refunded else target.try_counts
    result, due = Result.NONE, None
    maxima = settlement.max_try_counts
    if latest is not None:
        maxima = tuple(map(max, maxima, latest.max_try_counts))
    if settlement.is_success:
        result = Result.SUCCESS
    elif settlement.is_final or slot_with_tries(target.destinations, counts, maxima) is None:
        result = Result.FAIL
    else:
        due = settlement.tm_end + settlement.try_interval
    return _freed(target, now, counts=counts, result=result, due=due, is_final=settlement.is_final)


def released(target: Target, now: datetime, due: datetime) -> Target:
    """The progressing target after a claim of which nothing came: with its try back, due at once."""
    return _freed(target, now, counts=_given_back(target), result=Result.NONE, due=due)


def reset(target: Target, now: datetime) -> Target:
    """The target as if it had never been tried."""
    return replace(
        target,
        status=Status.IDLE,
        result=Result.NONE,
        try_counts=(0,) * SLOTS,
        tm_next_try=now,
        is_final=False,
        revision=target.revision + 1,
        tm_update=now,
    )


def reopened(target: Target, plan: Plan, now: datetime, due: datetime) -> Target | None:
    """The exhausted target as idle again if the plan gives it a try, else None."""
    is_exhausted = target.result is Result.FAIL and not target.is_final
    if not is_exhausted or target.tm_delete is not None:
        return None
    slot = slot_with_tries(
        target.destinations, target.try_counts, plan.max_try_counts, plan.address_types
    )
    if slot is None:
        return None
    return _freed(target, now, counts=target.try_counts, result=Result.NONE, due=due)


def _given_back(target: Target) -> tuple[int, ...]:
    counts = list(target.try_counts)
    if target.attempt_slot is not None:
        counts[target.attempt_slot] = max(0, counts[target.attempt_slot] - 1)
    return tuple(counts)


def _freed(
    target: Target,
    now: datetime,
    *,
    counts: tuple[int, ...],
    result: Result,
    due: datetime | None,
    is_final: bool = False,
) -> Target:
    """Without its attempt: idle when it has a due time, else done."""
    return replace(
        target,
        status=Status.DONE if due is None else Status.IDLE,
        result=result,
        tm_next_try=due,
        is_final=is_final,
        attempt_id=None,
        attempt_slot=None,
        try_counts=counts,
        revision=target.revision + 1,
        tm_update=now,
    )


# -- Counters --------------------------------------------------------------------------------------


def delta(changes: Iterable[tuple[Target | None, Target]]) -> Delta:
    """What changes of one outdial's targets (before, after) mean for its counters."""
    counts = dict.fromkeys(("idle", "progressing", "success", "fail"), 0)
    due: datetime | None = None
    for before, after in changes:
        if before is not None and before.tm_delete is None:
            counts[_kind(before)] -= 1
        if after.tm_delete is None:
            counts[_kind(after)] += 1
            if after.tm_next_try is not None and (due is None or after.tm_next_try < due):
                due = after.tm_next_try
    return Delta(**counts, due=due)


def _kind(target: Target) -> str:
    return target.result.value if target.status is Status.DONE else target.status.value
