"""What becomes of a target, and what that means for the counters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.address import Address
from services.common.errors import FailedPrecondition, NotFound, PermissionDenied
from services.common.ids import new_id
from services.outdial.domain import (
    Delta,
    Outdial,
    Plan,
    Result,
    Settlement,
    Status,
    Target,
    delta,
    digest,
    owned,
    released,
    reopened,
    require_bound,
    reset,
    settled,
    slot_with_tries,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEL = Address("tel", "+15550000001")
MAIL = Address("email", "a@example.com")


def make_target(**members: Any) -> Target:
    values: dict[str, Any] = {
        "id": new_id(),
        "outdial_id": new_id(),
        "customer_id": new_id(),
        "name": "",
        "detail": "",
        "data": "",
        "destinations": (TEL, None, MAIL, None, None),
        "tm_create": NOW,
        "tm_update": NOW,
        "tm_next_try": NOW,
    }
    return Target(**(values | members))


def dialed(slot: int = 0, counts: tuple[int, ...] = (1, 0, 0, 0, 0)) -> Target:
    return make_target(
        status=Status.PROGRESSING,
        attempt_id=new_id(),
        attempt_slot=slot,
        try_counts=counts,
        tm_next_try=None,
    )


def outcome(target: Target, **members: Any) -> Settlement:
    values: dict[str, Any] = {
        "attempt_id": target.attempt_id,
        "outdial_id": target.outdial_id,
        "target_id": target.id,
        "is_success": False,
        "is_refunded": False,
        "is_final": False,
        "tm_end": NOW,
        "try_interval": timedelta(minutes=5),
        "max_try_counts": (2, 0, 1, 0, 0),
    }
    return Settlement(**(values | members))


def plan(*counts: int, types: set[str] | None = None) -> Plan:
    return Plan((*counts, *[0] * (5 - len(counts))), frozenset({"tel"} if types is None else types))


@pytest.mark.parametrize(
    ("counts", "maxima", "types", "slot"),
    [
        ((0, 0, 0, 0, 0), (1, 1, 1, 1, 1), None, 0),
        ((1, 0, 0, 0, 0), (1, 1, 1, 1, 1), None, 2),
        ((1, 0, 0, 0, 0), (1, 1, 1, 1, 1), {"tel"}, None),
        ((0, 0, 0, 0, 0), (0, 0, 0, 0, 0), None, None),
        ((5, 0, 0, 0, 0), (1, 9, 0, 9, 9), None, None),
    ],
)
def test_lowest_slot_with_an_address_and_a_try_left(
    counts: tuple[int, ...], maxima: tuple[int, ...], types: set[str] | None, slot: int | None
) -> None:
    assert slot_with_tries(make_target().destinations, counts, maxima, types) == slot


def test_slot_used_up_leaves_the_next_one() -> None:
    target = dialed(counts=(2, 0, 0, 0, 0))
    after = settled(target, outcome(target), None, NOW)
    assert (after.status, after.tm_next_try) == (Status.IDLE, NOW + timedelta(minutes=5))
    last = dialed(slot=2, counts=(2, 0, 1, 0, 0))
    assert settled(last, outcome(last), None, NOW).result is Result.FAIL


def test_success_wins_over_everything_else() -> None:
    target = dialed()
    told = outcome(target, is_success=True, is_refunded=True, is_final=True)
    assert settled(target, told, None, NOW).result is Result.SUCCESS


def test_refund_never_makes_less_than_no_tries() -> None:
    target = dialed(counts=(0, 0, 0, 0, 0))
    assert settled(target, outcome(target, is_refunded=True), None, NOW).try_counts == (0,) * 5


def test_later_plan_keeps_a_target_from_being_exhausted() -> None:
    target = dialed(slot=2, counts=(2, 0, 1, 0, 0))
    assert settled(target, outcome(target), plan(3), NOW).status is Status.IDLE
    assert settled(target, outcome(target), plan(1), NOW).status is Status.DONE


def test_reopening_needs_an_exhausted_target_and_a_try_it_can_use() -> None:
    spent = make_target(
        status=Status.DONE, result=Result.FAIL, try_counts=(1, 0, 0, 0, 0), tm_next_try=None
    )
    found = reopened(spent, plan(2), NOW, NOW)
    assert found is not None
    assert (found.status, found.result, found.tm_next_try) == (Status.IDLE, Result.NONE, NOW)
    assert found.try_counts == spent.try_counts
    assert reopened(spent, plan(1, 5, 5), NOW, NOW) is None
    assert reopened(replace(spent, is_final=True), plan(2), NOW, NOW) is None
    assert reopened(replace(spent, result=Result.SUCCESS), plan(2), NOW, NOW) is None
    assert reopened(replace(spent, tm_delete=NOW), plan(2), NOW, NOW) is None
    assert reopened(spent, plan(1, 0, 1, types={"email"}), NOW, NOW) is not None


@pytest.mark.parametrize(
    ("before", "now", "adds"),
    [
        (plan(1), plan(1), False),
        (plan(2, 2), plan(1, 2), False),
        (plan(2, 2), plan(1, 3), True),
        (plan(1, types={"tel"}), plan(1, types={"tel", "sip"}), True),
        (plan(1, types={"tel", "sip"}), plan(1, types={"tel"}), False),
    ],
)
def test_more_generous_plans(before: Plan, now: Plan, adds: bool) -> None:
    assert now.adds_to(before) is adds


def test_counters_follow_every_change() -> None:
    new, claimed = make_target(), dialed()
    told = settled(claimed, outcome(claimed, tm_end=NOW - timedelta(hours=1)), None, NOW)
    assert delta([(None, new)]) == Delta(idle=1, due=NOW)
    assert delta([(claimed, told), (None, new)]) == Delta(
        idle=2, progressing=-1, due=NOW - timedelta(minutes=55)
    )
    assert delta([(new, replace(new, tm_delete=NOW))]) == Delta(idle=-1)
    gone = replace(claimed, tm_delete=NOW)
    assert delta([(gone, released(gone, NOW, NOW))]) == Delta()


targets = st.builds(
    make_target,
    status=st.just(Status.PROGRESSING),
    attempt_id=st.just(new_id()),
    attempt_slot=st.integers(0, 4),
    tm_next_try=st.none(),
    try_counts=st.tuples(*[st.integers(0, 3)] * 5),
    destinations=st.tuples(*[st.sampled_from([None, TEL, MAIL])] * 5),
)


@given(targets, st.booleans(), st.booleans(), st.booleans())
def test_settled_target_is_always_whole(
    target: Target, success: bool, refunded: bool, final: bool
) -> None:
    told = outcome(target, is_success=success, is_refunded=refunded, is_final=final)
    after = settled(target, told, None, NOW)
    assert after.attempt_id is None
    assert after.attempt_slot is None
    assert (after.status is Status.IDLE) == (after.tm_next_try is not None)
    assert (after.status is Status.DONE) == (after.result is not Result.NONE)
    assert after.revision == target.revision + 1
    assert sum(target.try_counts) - sum(after.try_counts) in ({0, 1} if refunded else {0})
    assert reset(after, NOW).try_counts == (0,) * 5


def make_outdial(**members: Any) -> Outdial:
    values: dict[str, Any] = {
        "id": new_id(),
        "customer_id": new_id(),
        "campaign_id": new_id(),
        "name": "",
        "detail": "",
        "data": "",
        "revision": 1,
        "tm_create": NOW,
    }
    return Outdial(**(values | members))


def test_ownership() -> None:
    outdial = make_outdial()
    assert owned(outdial, outdial.id, outdial.customer_id) == outdial
    assert owned(outdial, outdial.id, None) == outdial
    with pytest.raises(PermissionDenied):
        owned(outdial, outdial.id, new_id())
    with pytest.raises(NotFound):
        owned(None, outdial.id, None)


def test_refused_claims_say_whose_the_outdial_is() -> None:
    outdial = make_outdial()
    with pytest.raises(FailedPrecondition, match=f"bound to campaign {outdial.campaign_id}"):
        require_bound(outdial, new_id())


def test_digest_tells_bodies_apart() -> None:
    assert digest("a", None, ["b"]) == digest("a", None, ["b"])
    assert digest("ab", "") != digest("a", "b")
