"""Rows to domain objects and back. Column lists live here once, so that rows are read by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.common.limits import SLOTS
from services.common.stored import optional_address_of
from services.outdial.domain import Outdial, Plan, Progress, Result, Status, Target

OUTDIAL_COLUMNS = (
    "id, customer_id, campaign_id, name, detail, data, revision, tm_create, tm_update, tm_delete"
)
PROGRESS_COLUMNS = "outdial_id, idle, progressing, success, fail, is_reopening, next_due"
_TARGET_COLUMNS = (
    "id",
    "outdial_id",
    "customer_id",
    "attempt_id",
    "next_try_at",
    "tm_create",
    "tm_update",
    "tm_delete",
    "revision",
    "attempt_slot",
    "try_count_0",
    "try_count_1",
    "try_count_2",
    "try_count_3",
    "try_count_4",
    "is_final",
    "status",
    "result",
    "destination_0",
    "destination_1",
    "destination_2",
    "destination_3",
    "destination_4",
    "name",
    "detail",
    "data",
)

_JSON = frozenset(f"destination_{slot}" for slot in range(SLOTS))
_STATUSES = {each.value: each for each in Status}
_RESULTS = {each.value: each for each in Result}


def of_target(prefix: str) -> str:
    """What is selected of a target, for `target`. Addresses as text: orjson reads them faster."""
    return ", ".join(
        f"CAST({prefix}.{column} AS text)" if column in _JSON else f"{prefix}.{column}"
        for column in _TARGET_COLUMNS
    )


TARGET_COLUMNS = of_target("targets")


def outdial(row: Sequence[Any]) -> Outdial:
    """From OUTDIAL_COLUMNS."""
    return Outdial(*row)


def progress(row: Sequence[Any]) -> Progress:
    """From PROGRESS_COLUMNS."""
    return Progress(*row)


def plan(max_try_counts: Sequence[int] | None, types: Sequence[str] | None) -> Plan | None:
    """The plan of the latest claim."""
    if max_try_counts is None or types is None:
        return None
    return Plan(tuple(max_try_counts), frozenset(types))


def target(row: Sequence[Any]) -> Target:
    """From TARGET_COLUMNS."""
    return Target(
        id=row[0],
        outdial_id=row[1],
        customer_id=row[2],
        attempt_id=row[3],
        tm_next_try=row[4],
        tm_create=row[5],
        tm_update=row[6],
        tm_delete=row[7],
        revision=row[8],
        attempt_slot=row[9],
        try_counts=tuple(row[10 : 10 + SLOTS]),
        is_final=row[15],
        status=_STATUSES[row[16]],
        result=_RESULTS[row[17]],
        destinations=tuple([optional_address_of(value) for value in row[18 : 18 + SLOTS]]),
        name=row[23],
        detail=row[24],
        data=row[25],
    )
