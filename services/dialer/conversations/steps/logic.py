"""Conditions, jumps and variables: nothing here takes time or can be heard."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.steps.outcome import Outcome, Step, failed, jump
from services.dialer.domain.calls import CallStatus, visible_variables
from services.dialer.domain.variables import (
    DIGITS,
    MAX_NAMES,
    MAX_SET_BYTES,
    MAX_VALUE_BYTES,
    size_of,
)

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def goto(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Jump so many times, then go on behind; the next time the flow comes here it jumps again."""
    frame = run.top
    key = str(frame.position)
    left = frame.loops.get(key, option.get("loop_count", 0))
    if left <= 0:
        frame.loops.pop(key, None)
        return Outcome(detail="no loops left")
    jumped = jump(run, option["target_id"], f"{left - 1} loops left")
    frame.loops[key] = left - 1
    return jumped


def branch(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Go on by the value of a variable, which is empty after that."""
    name = option.get("variable") or DIGITS
    value = run.variables.get(name, "")
    targets = option.get("target_ids", {})
    chosen = targets.get(value) or option.get("default_target_id")
    jumped = jump(run, chosen, f"on {value!r}"[:100])
    if name == DIGITS:
        _digits_read(run, value)
    elif name in run.variables:
        run.variables[name] = ""
    return jumped


def _digits_read(run: FlowRun, value: str) -> None:
    """The keys have been used: those pressed since are the next ones."""
    keys = run.keys
    run.variables[DIGITS] = keys.ahead
    run.keys = replace(keys, has_result=False, ahead="", last=value or keys.last)


def condition_variable(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Compare a text, or the number it is, or its length."""
    given = option.get("variable", "")
    kind = option.get("value_type", "string")
    left: Any
    right: Any
    if kind == "string":
        left, right = given, option.get("value_string", "")
    elif kind == "length":
        left, right = len(given), option.get("value_length", 0)
    else:
        left, right = _number(given), option.get("value_number", 0.0)
    return _decided(run, option, _COMPARE[option.get("condition", "==")](left, right))


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if number != number or abs(number) == float("inf"):
        raise ValueError(f"variable is {text[:80]!r}; accepted: a number")
    return number


def condition_datetime(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Compare the moment, in UTC, by those of month, day, hour and minute that are given.

    They count in this order: at 9:10 it is later than 8:30. Weekdays must hold beside that.
    """
    given = (
        (option.get("month", 0), 0, now.month),
        (option.get("day", 0), 0, now.day),
        (option.get("hour", -1), -1, now.hour),
        (option.get("minute", -1), -1, now.minute),
    )
    wanted = [wish for wish, any_value, _ in given if wish != any_value]
    found = [actual for wish, any_value, actual in given if wish != any_value]
    is_met = not wanted or _COMPARE[option.get("condition", "==")](found, wanted)
    weekdays = option.get("weekdays")
    # datetime counts from Monday, the option from Sunday.
    is_day = not weekdays or (now.weekday() + 1) % 7 in weekdays
    return _decided(run, option, is_met and is_day)


def condition_call_digits(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Whether so many keys, or one of these, have been pressed; without either: any."""
    typed = run.variables.get(DIGITS, "")
    length, keys = option.get("length", 0), option.get("key", "")
    is_long = bool(length) and len(typed) >= length
    is_met = is_long or any(key in typed for key in keys)
    if not length and not keys:
        is_met = bool(typed)
    return _decided(run, option, is_met)


def condition_call_status(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Whether the call stands so: while a flow runs on it, it is in progress."""
    return _decided(run, option, option["status"] == CallStatus.PROGRESSING.value)


def _decided(run: FlowRun, option: Mapping[str, Any], is_met: bool) -> Outcome:
    return Outcome(detail="true") if is_met else jump(run, option.get("false_target_id"), "false")


def variable_set(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Set variables: all, or none when one goes too far."""
    pairs = dict(option.get("variables", {}))
    if "key" in option:
        pairs[option["key"]] = option.get("value", "")
    for name, value in pairs.items():
        if len(value.encode()) > MAX_VALUE_BYTES:
            return failed(f"{name} is longer than {MAX_VALUE_BYTES} bytes")
    own = visible_variables({**run.variables, **pairs})
    if len(own) - len(run.given_variables) > MAX_NAMES:
        return failed(f"more than {MAX_NAMES} variables")
    if size_of(own) - size_of(run.given_variables) > MAX_SET_BYTES:
        return failed(f"the variables set are larger than {MAX_SET_BYTES} bytes in all")
    run.variables.update(pairs)
    return Outcome()


STEPS: Mapping[str, Step] = {
    "goto": goto,
    "branch": branch,
    "condition_variable": condition_variable,
    "condition_datetime": condition_datetime,
    "condition_call_digits": condition_call_digits,
    "condition_call_status": condition_call_status,
    "variable_set": variable_set,
}
