"""Outplans: how and when the targets of a campaign are dialed. Pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.common import ownership
from services.common.address import Address
from services.common.errors import FailedPrecondition, invalid
from services.common.extras import check_headers, check_variables
from services.common.limits import (
    DIAL_TIMEOUT_MS,
    MAX_CALLS_PER_SECOND,
    MAX_CONCURRENT,
    SLOTS,
    TRY_COUNT,
    TRY_INTERVAL_MS,
    check_range,
)
from services.common.texts import check_texts

T = TypeVar("T")
Number = TypeVar("Number", int, float)

OUTPLAN_NOT_FOUND = "OUTPLAN_NOT_FOUND"
DEFAULT_DIAL_TIMEOUT_MS = 60_000
"""Ring time of a plan whose dial_timeout is 0."""
NO_MAXIMA_GIVEN = (1, 0, 0, 0, 0)
"""Tries when a create request names none of the five: one would be a plan that reaches nobody."""


@dataclass(frozen=True, slots=True)
class Outplan:
    """A dialing strategy. Durations are milliseconds of domain time, 0 meaning the platform's default.

    `calls_per_second` and `max_concurrent` limit each campaign that uses the plan; None leaves them
    to the deployment. `headers` and `variables` are given to each call, filled in by the dialer.
    """

    id: UUID
    customer_id: UUID
    name: str
    detail: str
    source: Address | None
    dial_timeout: int
    try_interval: int
    max_try_counts: tuple[int, ...]
    calls_per_second: float | None
    max_concurrent: int | None
    revision: int
    tm_create: datetime
    tm_update: datetime | None = None
    tm_delete: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def ring_ms(self) -> int:
        """How long a phone rings, the platform's default filled in."""
        return self.dial_timeout or DEFAULT_DIAL_TIMEOUT_MS


@dataclass(frozen=True, slots=True)
class OutplanDraft:
    """What a create request says; `max_try_counts` holds only the slots it names."""

    id: UUID | None
    digest: str
    name: str
    detail: str
    source: Address | None
    dial_timeout: int
    try_interval: int
    max_try_counts: Mapping[int, int]
    calls_per_second: float | None
    max_concurrent: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutplanChange:
    """What an update request says; None leaves a member as it is.

    `source` counts only with `sets_source`. 0 in `calls_per_second` or `max_concurrent` returns to
    the deployment's default.
    """

    name: str | None = None
    detail: str | None = None
    sets_source: bool = False
    source: Address | None = None
    dial_timeout: int | None = None
    try_interval: int | None = None
    max_try_counts: Mapping[int, int] | None = None
    calls_per_second: float | None = None
    max_concurrent: int | None = None
    headers: Mapping[str, str] | None = None
    variables: Mapping[str, str] | None = None


def create(draft: OutplanDraft, outplan_id: UUID, customer_id: UUID, now: datetime) -> Outplan:
    """The outplan asked for; InvalidArgument names a bad member."""
    check_texts(name=draft.name, detail=draft.detail)
    counts = draft.max_try_counts
    maxima = tuple(counts.get(slot, 0) for slot in range(SLOTS)) if counts else NO_MAXIMA_GIVEN
    return checked(
        Outplan(
            id=outplan_id,
            customer_id=customer_id,
            name=draft.name,
            detail=draft.detail,
            source=draft.source,
            dial_timeout=draft.dial_timeout,
            try_interval=draft.try_interval,
            max_try_counts=maxima,
            calls_per_second=draft.calls_per_second,
            max_concurrent=draft.max_concurrent,
            revision=1,
            tm_create=now,
            headers=draft.headers,
            variables=draft.variables,
        )
    )


def change(plan: Outplan, wanted: OutplanChange, now: datetime) -> Outplan:
    """The plan with the members given set, or the very same plan if that changes nothing.

    InvalidArgument names a bad member; FailedPrecondition for a deleted plan.
    """
    if plan.tm_delete is not None:
        raise FailedPrecondition(f"outplan {plan.id} is deleted; create another")
    check_texts(name=wanted.name, detail=wanted.detail)
    counts = wanted.max_try_counts or {}
    changed = replace(
        plan,
        name=_given(wanted.name, plan.name),
        detail=_given(wanted.detail, plan.detail),
        source=wanted.source if wanted.sets_source else plan.source,
        dial_timeout=_given(wanted.dial_timeout, plan.dial_timeout),
        try_interval=_given(wanted.try_interval, plan.try_interval),
        max_try_counts=tuple(counts.get(i, n) for i, n in enumerate(plan.max_try_counts)),
        calls_per_second=_limit(wanted.calls_per_second, plan.calls_per_second),
        max_concurrent=_limit(wanted.max_concurrent, plan.max_concurrent),
        headers=_given(wanted.headers, plan.headers),
        variables=_given(wanted.variables, plan.variables),
    )
    checked(changed)
    if changed == plan:
        return plan
    return replace(changed, revision=plan.revision + 1, tm_update=now)


def owned(plan: Outplan | None, outplan_id: UUID, customer_id: UUID) -> Outplan:
    """See ownership.owned."""
    return ownership.owned(plan, "outplan", outplan_id, customer_id, reason=OUTPLAN_NOT_FOUND)


def checked(plan: Outplan) -> Outplan:
    """The plan if every member is as it may be; InvalidArgument names the first that is not."""
    check_range("dial_timeout", plan.dial_timeout, DIAL_TIMEOUT_MS, "milliseconds")
    check_range("try_interval", plan.try_interval, TRY_INTERVAL_MS, "milliseconds")
    for slot, count in enumerate(plan.max_try_counts):
        check_range(f"max_try_count_{slot}", count, TRY_COUNT, "tries")
    rate = plan.calls_per_second
    if rate is not None and not 0 < rate <= MAX_CALLS_PER_SECOND:
        accepted = f"more than 0, up to {MAX_CALLS_PER_SECOND} calls per second"
        raise invalid("calls_per_second", rate, accepted)
    if plan.max_concurrent is not None:
        check_range(
            "max_concurrent", plan.max_concurrent, (1, MAX_CONCURRENT), "attempts in flight"
        )
    check_headers("headers", plan.headers)
    check_variables("variables", plan.variables)
    return plan


def _given(value: T | None, present: T) -> T:
    return present if value is None else value


def _limit(value: Number | None, present: Number | None) -> Number | None:
    if value is None:
        return present
    return None if value == 0 else value
