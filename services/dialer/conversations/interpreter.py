"""Executes flow actions: moves a FlowRun forward and says what to do. Pure; the time is given to it.

An action that nobody can hear (a run without a call) is skipped and the history says so; one that the
network cannot do, or whose options are unusable, fails and the flow goes on behind it. Nothing a user
wrote can raise out of here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.common.action_catalogue import ALIASES, CATALOGUE
from services.common.actions import FINISH, NEXT, START, Action, read_option
from services.dialer.conversations.effects import Effect, Finish, Listen, Sleep
from services.dialer.conversations.flow_run import (
    MAX_EXECUTIONS,
    MAX_FRAMES,
    MAX_HOPS,
    FlowRun,
    Frame,
)
from services.dialer.conversations.steps import logic, media, people, web
from services.dialer.conversations.steps.outcome import Outcome, failed
from services.dialer.domain.calls import MAX_DETAIL, Step, StepOutcome
from services.dialer.domain.variables import AMD, DIGITS, named_by, substitute
from services.dialer.telephony import AnsweredBy, Capability

MAX_KEYS = 100
"""Keys remembered until they are read; later ones push out the first."""

_STEPS = {**media.STEPS, **logic.STEPS, **people.STEPS, **web.STEPS}
NEEDS: Mapping[str, Capability | None] = {
    "answer": None,
    "hangup": None,
    "sleep": None,
    "condition_call_digits": None,
    "condition_call_status": None,
    "talk": Capability.SAY,
    "play": Capability.PLAY,
    "beep": Capability.PLAY,
    "echo": Capability.ECHO,
    "mute": Capability.MUTE,
    "digits_send": Capability.SEND_DIGITS,
    "digits_receive": Capability.RECEIVE_DIGITS,
    "recording_start": Capability.RECORD,
    "recording_stop": Capability.RECORD,
    "amd": Capability.DETECT,
    "connect": Capability.BRIDGE,
    "queue_join": Capability.BRIDGE,
}
"""Actions that need a call, and what they need of its network."""
_USERS_FAULTS = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
)
"""What something that a user wrote can raise."""


class UnusableOptionError(ValueError):
    """An action's options say nothing that can be done, now that variables are put in."""


def advance(run: FlowRun, now: datetime) -> list[Effect]:
    """Execute from the current position up to an action that takes time, or to the end."""
    effects: list[Effect] = []
    for _ in range(MAX_HOPS):
        action = run.top.current
        if action is None:
            if len(run.frames) == 1:
                return [*effects, _finish(run, now)]
            run.frames.pop()
            _go_behind(run)
            continue
        if run.executions >= MAX_EXECUTIONS:
            refused = failed(f"more than {MAX_EXECUTIONS} actions executed")
            _record(run, action, refused, now)
            return [*effects, _finish(run, now)]
        run.executions += 1
        result = _execute(run, action, now)
        _record(run, action, result, now)
        if result.effect is not None:
            effects.append(result.effect)
            if isinstance(result.effect, Finish):
                run.end(now)
            if result.effect.waits:
                return effects
        _move(run, action, result)
    run.fail_step(f"more than {MAX_HOPS} steps without a pause")
    return [*effects, _finish(run, now)]


def complete(run: FlowRun, now: datetime) -> list[Effect]:
    """The current action is over: go on behind it."""
    action = run.current
    if action is None:
        return []
    if action.type == "digits_receive":
        _keys_over(run, "time is over")
    run.wake_at = None
    _go_behind(run)
    return advance(run, now)


def resume(run: FlowRun, now: datetime) -> list[Effect]:
    """After a take-over: the current action again, as the same execution, under the same play id."""
    action = run.current
    if action is None:
        return []
    if run.executions == 0:
        return advance(run, now)
    if run.wake_at is not None:
        is_listening = action.type == "digits_receive"
        return [Listen(run.wake_at) if is_listening else Sleep(run.wake_at)]
    effect = _execute(run, action, now).effect
    return [effect] if effect is not None and effect.waits else complete(run, now)


def pressed(run: FlowRun, key: str) -> bool:
    """Note a key the person pressed; True when the current action is over by it."""
    # Before the first action has begun nothing asks for keys.
    action = run.current if run.executions else None
    keys = replace(run.keys, count=run.keys.count + 1)
    if keys.has_result:
        run.keys = replace(keys, ahead=(keys.ahead + key)[-MAX_KEYS:])
    else:
        typed = (run.variables.get(DIGITS, "") + key)[-MAX_KEYS:]
        run.variables[DIGITS] = typed
        is_asked = action is not None and action.type == "digits_receive"
        run.keys = replace(keys, last=typed) if is_asked else keys
    if action is None:
        return False
    if action.type == "talk":
        return action.option.get("digits_handle") == "next"
    if action.type == "digits_receive":
        return _is_enough(run, action)
    return False


def _is_enough(run: FlowRun, action: Action) -> bool:
    try:
        why = media.enough(run.variables[DIGITS], option_of(run, action))
    except UnusableOptionError:
        # Its options were usable when it began; whatever has changed them must not keep it waiting.
        why = "its options have become unusable"
    if why:
        _keys_over(run, why)
    return bool(why)


def _keys_over(run: FlowRun, why: str) -> None:
    if not run.keys.has_result:
        run.keys = replace(run.keys, has_result=True)
        run.note_step(why)


def push(run: FlowRun, actions: Sequence[Action], now: datetime) -> list[Effect]:
    """The current action has fetched these: they come first, then the flow goes on behind it."""
    if run.current is None:
        return []
    if _is_last(run) and len(run.frames) > 1:
        # Nothing is left of the list that fetched: a conversation led from outside, fetch by fetch,
        # must not reach the limit.
        run.frames.pop()
    if len(run.frames) > MAX_FRAMES:
        run.fail_step(f"more than {MAX_FRAMES} fetched lists within one another")
        return complete(run, now)
    run.note_step(f"{len(actions)} actions")
    run.frames.append(Frame(tuple(actions)))
    return advance(run, now)


def detected(run: FlowRun, by: AnsweredBy, now: datetime) -> tuple[bool, list[Effect]]:
    """The network has said who answered: whether the call is to be hung up as a machine's, and what
    else there is to do.
    """
    detection = run.detection
    if detection is None or run.is_ended:
        return False, []
    run.detection = None
    run.variables[AMD] = by.value
    hangs_up = by is AnsweredBy.MACHINE and detection.hangs_up
    run.note_step(_HUNG_UP if hangs_up else by.value, execution=detection.execution)
    if hangs_up:
        run.end(now)
        return True, []
    action = run.current
    is_waiting = detection.execution == run.executions and action is not None
    return False, complete(run, now) if is_waiting else []


def was_hung_up_as_machine(history: Sequence[Step]) -> bool:
    """Whether an amd action has ended the call."""
    return any(each.type == "amd" and each.detail == _HUNG_UP for each in history)


_HUNG_UP = f"{AnsweredBy.MACHINE.value}: hung up"


def decides_on_machines(actions: Sequence[Action]) -> bool:
    """Whether a call that a machine has answered is the flow's business: it may go on with one."""
    return any(
        each.type == "amd" and each.option.get("machine_handle") not in (None, "", "hangup")
        for each in actions
    )


def _execute(run: FlowRun, action: Action, now: datetime) -> Outcome:
    word = ALIASES.get(action.type, action.type)
    step = _STEPS.get(word)
    if step is None:
        # Stored before such words were refused in a definition.
        return Outcome(StepOutcome.SKIPPED, f"{action.type} is not supported")
    if word in NEEDS:
        if not run.has_call:
            return Outcome(StepOutcome.SKIPPED, f"{action.type} needs a call")
        needed = NEEDS[word]
        if needed is not None and needed not in run.capabilities:
            return failed(f"the network cannot do this ({needed.value})")
    try:
        return step(run, option_of(run, action), now)
    except _USERS_FAULTS as exc:
        return failed(f"unusable option: {exc}")


def option_of(run: FlowRun, action: Action) -> dict[str, Any]:
    """The action's options, with variables put in. Raises UnusableOptionError and nothing else."""
    word = ALIASES.get(action.type, action.type)
    try:
        option = {name: action.option.get(name) for name in CATALOGUE[word].options}
        if word == "branch" and isinstance(option["variable"], str):
            # It takes the variable itself, and not the text in it.
            option["variable"] = named_by(option["variable"])
        return read_option(word, substitute(option, run.variables))
    except _USERS_FAULTS as exc:
        raise UnusableOptionError(str(exc)) from exc


def _record(run: FlowRun, action: Action, result: Outcome, now: datetime) -> None:
    detail = result.detail[:MAX_DETAIL]
    run.history.append(
        Step(action.id, action.type, result.outcome, detail, now, execution=run.executions)
    )
    del run.history[:-MAX_EXECUTIONS]


def _finish(run: FlowRun, now: datetime) -> Finish:
    run.end(now)
    return Finish()


def _move(run: FlowRun, action: Action, result: Outcome) -> None:
    target = result.target if result.target is not None else action.next_id
    if target is not None and target != NEXT:
        if target == FINISH:
            run.frames[1:] = []
            run.top.position = len(run.top.actions)
            return
        if target == START:
            run.frames[1:] = []
            run.top.position = 0
            return
        for depth in range(len(run.frames) - 1, -1, -1):
            index = run.frames[depth].index_of(target)
            if index is not None:
                # Jumping out of what was fetched leaves it.
                run.frames[depth + 1 :] = []
                run.top.position = index
                return
    run.top.position += 1


def _go_behind(run: FlowRun) -> None:
    action = run.top.current
    if action is not None:
        _move(run, action, Outcome())


def _is_last(run: FlowRun) -> bool:
    """Whether nothing follows the current action in its list."""
    action = run.top.current
    is_end = run.top.position + 1 >= len(run.top.actions)
    return action is not None and is_end and action.next_id in (None, NEXT)
