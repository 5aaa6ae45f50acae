"""The rules of outplans."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.campaign.outplans.domain import (
    Outplan,
    OutplanChange,
    OutplanDraft,
    change,
    create,
)
from services.common.errors import InvalidArgument
from services.common.ids import new_id

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def make_plan(**members: Any) -> Outplan:
    values: dict[str, Any] = {
        "id": None,
        "digest": "",
        "name": "",
        "detail": "",
        "source": None,
        "dial_timeout": 0,
        "try_interval": 0,
        "max_try_counts": {},
        "calls_per_second": None,
        "max_concurrent": None,
    }
    return create(OutplanDraft(**(values | members)), new_id(), new_id(), NOW)


def test_a_plan_that_names_no_maximum_tries_the_first_slot_once() -> None:
    assert make_plan().max_try_counts == (1, 0, 0, 0, 0)


def test_explicit_zeros_stay_zeros() -> None:
    assert make_plan(max_try_counts={0: 0}).max_try_counts == (0, 0, 0, 0, 0)
    assert make_plan(max_try_counts={2: 5}).max_try_counts == (0, 0, 5, 0, 0)


def test_durations_are_kept_as_given_and_zero_means_the_default() -> None:
    plan = make_plan(dial_timeout=30)
    assert (plan.dial_timeout, plan.ring_ms) == (30, 30)
    assert (make_plan().dial_timeout, make_plan().ring_ms) == (0, 60_000)


@pytest.mark.parametrize(
    ("member", "value", "name"),
    [
        ("dial_timeout", -1, "dial_timeout"),
        ("dial_timeout", 600_001, "dial_timeout"),
        ("try_interval", -1, "try_interval"),
        ("try_interval", 31 * 86_400_000 + 1, "try_interval"),
        ("max_try_counts", {3: -1}, "max_try_count_3"),
        ("max_try_counts", {4: 101}, "max_try_count_4"),
        ("calls_per_second", 0.0, "calls_per_second"),
        ("calls_per_second", 10_000.5, "calls_per_second"),
        ("calls_per_second", float("nan"), "calls_per_second"),
        ("max_concurrent", 0, "max_concurrent"),
        ("max_concurrent", 100_001, "max_concurrent"),
        ("name", "x" * 256, "name"),
        ("name", "a\x00b", "name"),
        ("headers", {"From": "x"}, "headers.From"),
        ("headers", {"X-Outbound-Call-Id": "x"}, "headers.X-Outbound-Call-Id"),
        ("headers", {"x-a": "x", "X-Ok": "x"}, "headers.x-a"),
        ("headers", {"X-A": "x", "X-a": "y"}, "headers.X-a"),
        ("headers", {"X-A": "x" * 256}, "headers.X-A"),
        ("headers", {"X-A": "a\r\nRoute: b"}, "headers.X-A"),
        ("headers", {f"X-{number}": "" for number in range(21)}, "headers"),
        ("variables", {"1a": "x"}, "variables.1a"),
        ("variables", {"a b": "x"}, "variables.a b"),
        ("variables", {"A": "x", "a": "y"}, "variables.a"),
        ("detail", "x" * 65_537, "detail"),
    ],
)
def test_a_member_out_of_range_is_named(member: str, value: Any, name: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        make_plan(**{member: value})
    assert [each.field for each in caught.value.violations] == [name]


@pytest.mark.parametrize("member", ["name", "detail"])
def test_a_change_to_a_text_that_cannot_be_stored_is_refused(member: str) -> None:
    wrong: dict[str, Any] = {member: "a\x00b"}
    with pytest.raises(InvalidArgument, match=member):
        change(make_plan(), replace(OutplanChange(), **wrong), NOW)


def test_a_change_sets_only_the_slots_it_names() -> None:
    plan = make_plan(max_try_counts={0: 3, 1: 2})
    changed = change(plan, OutplanChange(max_try_counts={1: 0, 4: 1}), NOW)
    assert changed.max_try_counts == (3, 0, 0, 0, 1)
    assert changed.revision == 2


def test_a_change_to_what_is_there_is_none() -> None:
    plan = make_plan(name="a")
    assert change(plan, OutplanChange(name="a", max_try_counts={0: 1}), NOW) is plan


def test_zero_returns_a_limit_to_the_default_of_the_deployment() -> None:
    plan = make_plan(calls_per_second=5.0, max_concurrent=9)
    changed = change(plan, OutplanChange(calls_per_second=0.0, max_concurrent=0), NOW)
    assert (changed.calls_per_second, changed.max_concurrent) == (None, None)
