"""Conditions, jumps and variables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.common.actions import FINISH, NEXT, Action
from services.common.actions import START as FIRST
from services.common.ids import new_id
from services.dialer.conversations.effects import (
    Say,
)
from services.dialer.conversations.interpreter import (
    advance,
)
from tests.unit.dialer.fakes import START, action
from tests.unit.dialer.runs import details, make_run, outcomes, said, walk

SPOKEN = action("talk", text="behind")


@pytest.mark.parametrize(
    ("option", "is_met"),
    [
        ({"condition": "==", "hour": 9}, True),
        ({"condition": "==", "hour": 9, "minute": 10}, True),
        ({"condition": "==", "hour": 9, "minute": 11}, False),
        ({"condition": "!=", "hour": 9, "minute": 11}, True),
        ({"condition": ">=", "hour": 8, "minute": 30}, True),
        ({"condition": ">", "hour": 9, "minute": 10}, False),
        ({"condition": "<", "hour": 17}, True),
        ({"condition": "<=", "hour": 9}, True),
        ({"condition": "<", "month": 4, "day": 1}, True),
        ({"condition": ">", "month": 3, "day": 1}, True),
        ({"condition": "==", "day": 2}, True),
        ({"condition": "==", "minute": -1, "hour": -1, "day": 0, "month": 0}, True),
        ({"condition": "!=", "minute": -1, "hour": -1}, True),
        ({"weekdays": [1]}, True),
        ({"weekdays": [0, 6]}, False),
        ({"condition": "==", "hour": 10, "weekdays": [1]}, False),
        ({}, True),
    ],
)
def test_condition_datetime(option: dict[str, Any], is_met: bool) -> None:
    monday = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
    no = new_id()
    run = make_run(
        action("condition_datetime", false_target_id=str(no), **option),
        action("talk", text="yes"),
        action("stop"),
        action("talk", no, text="no"),
    )
    effects = advance(run, monday)
    assert isinstance(effects[-1], Say)
    assert effects[-1].text == ("yes" if is_met else "no")


def test_sunday_is_the_day_0() -> None:
    run = make_run(action("condition_datetime", weekdays=[0]), SPOKEN)
    advance(run, datetime(2026, 3, 1, 0, 0, tzinfo=UTC))
    assert details(run)[0] == "true"


def test_branch_may_name_its_variable_either_way() -> None:
    for name in ("mood", "${mood}"):
        good = new_id()
        run = make_run(
            action("branch", variable=name, target_ids={"good": str(good)}),
            action("stop"),
            action("talk", good, text="fine"),
            mood="good",
        )
        assert said(run) == ["fine"]
        assert run.variables["mood"] == ""


@pytest.mark.parametrize(("target", "words"), [(FINISH, []), (NEXT, ["b", "c"])])
def test_reserved_targets(target: Any, words: list[str]) -> None:
    run = make_run(
        action("goto", target_id=str(target), loop_count=1),
        action("talk", text="b"),
        action("talk", text="c"),
    )
    assert said(run) == words


def test_the_first_action_is_a_target_too() -> None:
    run = make_run(action("talk", text="a"), action("goto", target_id=str(FIRST), loop_count=2))
    assert said(run) == ["a", "a", "a"]


@pytest.mark.parametrize(
    ("option", "detail"),
    [
        ({"key": "a", "value": "x" * 32_769}, "a is longer than 32768 bytes"),
        ({"variables": {"a": "x" * 20_000, "b": "x" * 20_000}}, "larger than 32768 bytes in all"),
        ({"variables": {f"n{n}": "" for n in range(101)}}, "more than 100 variables"),
    ],
)
def test_what_a_flow_sets_has_caps_and_all_or_none_is_set(
    option: dict[str, Any], detail: str
) -> None:
    run = make_run(action("variable_set", **option))
    walk(run)
    assert outcomes(run) == [("variable_set", "failed")]
    assert detail in details(run)[0]
    assert run.variables == {}


def test_what_a_creator_gave_does_not_count_as_set() -> None:
    given = {f"n{n}": "x" * 600 for n in range(100)}
    run = make_run(action("variable_set", key="own", value="1"), has_call=False, **given)
    run.given_variables = given
    walk(run)
    assert run.variables["own"] == "1"


def test_an_option_that_grows_without_end_fails() -> None:
    run = make_run(action("talk", text="${a}" * 100), SPOKEN, a="x" * 32_000)
    advance(run, START)
    assert outcomes(run)[0] == ("talk", "failed")
    assert "longer than 262144 characters" in details(run)[0]


def test_options_nested_without_end_cannot_break_it() -> None:
    deep: Any = "x"
    for _ in range(3000):
        deep = [deep]
    run = make_run(
        Action("talk", {"text": "hi", "extra": deep}), Action("play", {"stream_urls": deep})
    )
    walk(run)
    assert outcomes(run) == [("talk", "done"), ("play", "failed")]
