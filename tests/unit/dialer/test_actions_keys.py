"""Keys that people press, and what flows make of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.common.ids import new_id
from services.dialer.conversations.effects import (
    Listen,
    Say,
)
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.interpreter import (
    advance,
    complete,
    pressed,
)
from tests.unit.dialer.fakes import START, action
from tests.unit.dialer.runs import details, make_run, said

DIGITS = "voipbin.call.digits"
SPOKEN = action("talk", text="behind")


def begun(run: FlowRun) -> Any:
    """The one effect that the first action waits for."""
    (effect,) = advance(run, START)
    return effect


@pytest.mark.parametrize(
    ("option", "keys", "detail"),
    [
        ({"length": 3}, "123", "3 keys"),
        ({"key": "#"}, "12#", "ended by a key"),
        ({"key": "12"}, "2", "ended by a key"),
        ({"length": 9, "key": "*#"}, "4*", "ended by a key"),
    ],
)
def test_keys_are_received_until_there_are_enough(
    option: dict[str, Any], keys: str, detail: str
) -> None:
    run = make_run(action("digits_receive", duration=5000, **option), SPOKEN)
    assert begun(run) == Listen(START + timedelta(seconds=5))
    assert [pressed(run, key) for key in keys] == [False] * (len(keys) - 1) + [True]
    assert complete(run, START) == [Say("step-2", "behind", "")]
    assert run.variables[DIGITS] == keys
    assert (run.keys.last, details(run)[0]) == (keys, detail)


def test_keys_are_received_until_time_is_over() -> None:
    run = make_run(action("digits_receive"), SPOKEN)
    assert begun(run) == Listen(START + timedelta(seconds=10))
    assert not pressed(run, "7")
    complete(run, START)
    assert (run.variables[DIGITS], run.keys.last, details(run)[0]) == ("7", "7", "time is over")
    run = make_run(action("digits_receive"), SPOKEN)
    advance(run, START)
    complete(run, START)
    assert (run.variables[DIGITS], run.keys.last) == ("", "")


def test_keys_pressed_during_the_prompt_count() -> None:
    run = make_run(
        action("talk", text="press", digits_handle="next"),
        action("digits_receive", length=1),
        action("branch", target_ids={}),
        SPOKEN,
    )
    advance(run, START)
    assert pressed(run, "1")
    assert complete(run, START) == [Say("step-4", "behind", "")]
    assert run.keys.last == "1"


def test_keys_pressed_after_a_result_are_those_of_the_next_question() -> None:
    run = make_run(
        action("digits_receive", length=1),
        action("talk", text="thank you"),
        action("branch", target_ids={}),
        action("digits_receive", length=2),
        SPOKEN,
    )
    advance(run, START)
    assert pressed(run, "1")
    complete(run, START)
    assert not pressed(run, "2")
    # What was asked for is there until it is read.
    assert run.variables[DIGITS] == "1"
    assert isinstance(complete(run, START)[-1], Listen)
    assert run.variables[DIGITS] == "2"
    assert pressed(run, "3")
    assert (run.variables[DIGITS], run.keys.last) == ("23", "23")


def test_a_second_question_does_not_take_the_answer_to_the_first() -> None:
    run = make_run(action("digits_receive", length=1), action("digits_receive", length=1), SPOKEN)
    advance(run, START)
    pressed(run, "1")
    assert isinstance(complete(run, START)[-1], Listen)
    assert run.variables[DIGITS] == ""


@pytest.mark.parametrize(
    ("option", "typed", "is_met"),
    [
        ({"length": 2}, "12", True),
        ({"length": 2}, "1", False),
        ({"key": "5"}, "15", True),
        ({"key": "5"}, "16", False),
        ({"length": 4, "key": "#"}, "1#", True),
        ({}, "1", True),
        ({}, "", False),
    ],
)
def test_condition_call_digits(option: dict[str, Any], typed: str, is_met: bool) -> None:
    no = new_id()
    run = make_run(
        action("condition_call_digits", false_target_id=str(no), **option),
        action("talk", text="yes"),
        action("stop"),
        action("talk", no, text="no"),
        has_call=True,
        **{DIGITS: typed},
    )
    assert said(run) == ["yes" if is_met else "no"]


@pytest.mark.parametrize(("status", "is_met"), [("progressing", True), ("ringing", False)])
def test_condition_call_status(status: str, is_met: bool) -> None:
    no = new_id()
    run = make_run(
        action("condition_call_status", status=status, false_target_id=str(no)),
        action("talk", text="yes"),
        action("stop"),
        action("talk", no, text="no"),
    )
    assert said(run) == ["yes" if is_met else "no"]
