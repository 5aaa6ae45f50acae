"""Executes flow actions: moves a FlowRun forward and says what to do. Pure; the time is given to it.

An action that nobody can hear (a run without a call) or that is not known is skipped and the history
says so; a wrong option fails its action and the flow goes on with the next. Nothing a user wrote can
raise out of here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.common.actions import Action
from services.dialer.conversations.effects import Effect, Finish, JoinQueue, Play, Say, Sleep
from services.dialer.conversations.flow_run import MAX_EXECUTIONS, MAX_HOPS, FlowRun
from services.dialer.domain.calls import SYSTEM_PREFIX, Step, StepOutcome
from services.dialer.domain.variables import MAX_VALUE_BYTES, substitute

DIGITS = "voipbin.call.digits"
MAX_SLEEP_MS = 86_400_000
MAX_VARIABLES = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one action came to. `jump` is the index to go on at, None for the ordinary successor."""

    outcome: StepOutcome = StepOutcome.DONE
    detail: str = ""
    effect: Effect | None = None
    jump: int | None = None


def advance(run: FlowRun, now: datetime) -> list[Effect]:
    """Execute from the current position up to an action that takes time, or to the end."""
    effects: list[Effect] = []
    for _ in range(MAX_HOPS):
        if run.position is None or run.position >= len(run.actions):
            return [*effects, _finish(run, now)]
        if run.executions >= MAX_EXECUTIONS:
            _record(run, run.actions[run.position], _failed("more than 100 actions executed"), now)
            return [*effects, _finish(run, now)]
        action = run.actions[run.position]
        run.executions += 1
        result = _execute(run, action, now)
        _record(run, action, result, now)
        if result.effect is not None:
            effects.append(result.effect)
            if isinstance(result.effect, Finish):
                run.end(now)
            if result.effect.waits:
                return effects
        run.position = _successor(run, action) if result.jump is None else result.jump
    return [*effects, _finish(run, now)]


def complete(run: FlowRun, now: datetime) -> list[Effect]:
    """The current action is over: go on behind it."""
    action = run.current
    if action is None:
        return []
    run.wake_at = None
    run.position = _successor(run, action)
    return advance(run, now)


def resume(run: FlowRun, now: datetime) -> list[Effect]:
    """After a take-over: the current action again, as the same execution, under the same play id."""
    action = run.current
    if action is None:
        return []
    if run.executions == 0:
        return advance(run, now)
    if run.wake_at is not None:
        return [Sleep(run.wake_at)]
    effect = _execute(run, action, now).effect
    return [effect] if effect is not None and effect.waits else complete(run, now)


def pressed(run: FlowRun, digit: str) -> bool:
    """Note a key the person pressed; True when it ends the current talk."""
    run.variables[DIGITS] = (run.variables.get(DIGITS, "") + digit)[-100:]
    action = run.current
    return (
        action is not None
        and action.type == "talk"
        and action.option.get("digits_handle") == "next"
    )


def _execute(run: FlowRun, action: Action, now: datetime) -> Outcome:
    handler = _HANDLERS.get(action.type)
    if handler is None:
        return Outcome(StepOutcome.SKIPPED, f"{action.type} is not supported yet")
    if action.type in _NEEDS_CALL and not run.has_call:
        return Outcome(StepOutcome.SKIPPED, f"{action.type} needs a call")
    option = substitute(action.option, run.variables)
    try:
        return handler(run, option, now)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as exc:
        return _failed(f"unusable option: {exc}")


def _record(run: FlowRun, action: Action, result: Outcome, now: datetime) -> None:
    run.history.append(Step(action.id, action.type, result.outcome, result.detail, now))
    del run.history[:-MAX_EXECUTIONS]


def _finish(run: FlowRun, now: datetime) -> Finish:
    run.end(now)
    return Finish()


def _successor(run: FlowRun, action: Action) -> int:
    if action.next_id is not None:
        found = _index_of(run, action.next_id)
        if found is not None:
            return found
    return (run.position or 0) + 1


def _index_of(run: FlowRun, action_id: UUID) -> int | None:
    for index, action in enumerate(run.actions):
        if action.id == action_id:
            return index
    return None


def _target(run: FlowRun, value: Any) -> int | None:
    """The index an option names; None when it names nothing; ValueError for an unknown action."""
    if not value:
        return None
    wanted = UUID(str(value))
    if wanted.int == 0:
        return None
    found = _index_of(run, wanted)
    if found is None:
        raise ValueError(f"no action {wanted} in this flow")
    return found


def _failed(detail: str) -> Outcome:
    return Outcome(StepOutcome.FAILED, detail)


# ------------------------------------------------------------------------------------- handlers


def _answer(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    return Outcome(detail="was answered already")


def _talk(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    text = str(option.get("text") or "")
    if not text.strip():
        return _failed("text is empty")
    is_async = option.get("async") is True
    say = Say(run.play_id, text, str(option.get("language") or ""), waits=not is_async)
    return Outcome(effect=say)


def _play(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    urls = option.get("stream_urls") or []
    if not isinstance(urls, list) or not urls:
        return _failed("stream_urls is empty")
    return Outcome(effect=Play(run.play_id, tuple(str(url) for url in urls)))


def _sleep(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    duration_ms = int(option.get("duration") or 0)
    if not 0 < duration_ms <= MAX_SLEEP_MS:
        return _failed(f"duration is {duration_ms}; accepted: 1..{MAX_SLEEP_MS} milliseconds")
    run.wake_at = now + timedelta(milliseconds=duration_ms)
    return Outcome(effect=Sleep(run.wake_at))


def _queue_join(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    return Outcome(effect=JoinQueue(UUID(str(option["queue_id"]))))


def _end(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    return Outcome(effect=Finish())


def _goto(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    key = str(run.position)
    left = run.loops.get(key, int(option.get("loop_count") or 0))
    if left <= 0:
        # The next time the flow comes here it loops again.
        run.loops.pop(key, None)
        return Outcome(detail="no loops left")
    target = _target(run, option.get("target_id"))
    if target is None:
        return _failed("target_id is empty")
    run.loops[key] = left - 1
    return Outcome(jump=target)


def _variable_set(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    many = option.get("variables")
    pairs = dict(many) if isinstance(many, Mapping) else {}
    if "key" in option:
        pairs[str(option["key"])] = option.get("value")
    for name, value in pairs.items():
        written = "" if value is None else str(value)
        if not name or name.lower().startswith(SYSTEM_PREFIX):
            return _failed(f"key is {name!r}; accepted: a name not starting with {SYSTEM_PREFIX}")
        if len(written.encode()) > MAX_VALUE_BYTES:
            return _failed(f"value is longer than {MAX_VALUE_BYTES} bytes")
        if name not in run.variables and len(run.variables) >= MAX_VARIABLES:
            return _failed(f"more than {MAX_VARIABLES} variables")
        run.variables[name] = written
    return Outcome() if pairs else _failed("key is empty")


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: bool(left == right),
    "!=": lambda left, right: bool(left != right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
}


def _condition_variable(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    compare = _COMPARE.get(str(option.get("condition") or "=="))
    if compare is None:
        return _failed(f"condition is {option.get('condition')!r}; accepted: {' '.join(_COMPARE)}")
    left, right = _operands(option)
    if compare(left, right):
        return Outcome(detail="true")
    return Outcome(detail="false", jump=_target(run, option.get("false_target_id")))


def _operands(option: Mapping[str, Any]) -> tuple[Any, Any]:
    given = str(option.get("variable") or "")
    kind = str(option.get("value_type") or "string")
    if kind == "string":
        return given, str(option.get("value_string") or "")
    if kind == "length":
        return len(given), int(option.get("value_length") or 0)
    if kind == "number":
        left = float(given)
        if not math.isfinite(left):
            raise ValueError(f"variable is {given}; accepted: a number")
        return left, float(option.get("value_number") or 0)
    raise ValueError(f"value_type is {kind!r}; accepted: string, number, length")


def _branch(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    name = str(option.get("variable") or DIGITS)
    value = run.variables.get(name, "")
    targets = option.get("target_ids") or {}
    chosen = targets.get(value) or option.get("default_target_id")
    if name in run.variables:
        run.variables[name] = ""
    return Outcome(detail=f"on {value!r}"[:100], jump=_target(run, chosen))


_HANDLERS: dict[str, Callable[[FlowRun, Mapping[str, Any], datetime], Outcome]] = {
    "answer": _answer,
    "talk": _talk,
    "play": _play,
    "sleep": _sleep,
    "queue_join": _queue_join,
    "hangup": _end,
    "stop": _end,
    "goto": _goto,
    "variable_set": _variable_set,
    "set_variable": _variable_set,
    "set_variables": _variable_set,
    "condition_variable": _condition_variable,
    "branch": _branch,
}
_NEEDS_CALL = frozenset({"answer", "talk", "play", "sleep", "queue_join", "hangup"})
