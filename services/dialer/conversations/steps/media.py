"""What a person hears, and the keys they press."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.dialer.conversations.effects import (
    Echo,
    Finish,
    Listen,
    Mute,
    Play,
    Say,
    SendDigits,
    Sleep,
)
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.steps.outcome import Outcome, Step
from services.dialer.domain.variables import DIGITS
from services.dialer.telephony import BEEP

DIGITS_WAIT_MS = 10_000
"""How long keys are waited for when the action does not say."""
KEY_MS = 100
"""Length of a key sent, and of the pause behind it, when the action does not say."""


def answer(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Nothing: flows run on answered calls."""
    return Outcome(detail="was answered already")


def talk(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Speak."""
    return Outcome(effect=say_of(run.play_id, option))


def play(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Play recordings one after the other."""
    return Outcome(effect=play_of(run.play_id, option))


def beep(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """The short tone."""
    return Outcome(effect=beep_of(run.play_id, option))


def say_of(play_id: str, option: Mapping[str, Any]) -> Say:
    """What a talk asks for."""
    language, voice = option.get("language", ""), option.get("voice_id", "")
    return Say(play_id, option["text"], language, voice, waits=not option.get("async", False))


def play_of(play_id: str, option: Mapping[str, Any]) -> Play:
    """What a play asks for."""
    return Play(play_id, tuple(option["stream_urls"]))


def beep_of(play_id: str, option: Mapping[str, Any]) -> Play:
    """What a beep asks for."""
    return Play(play_id, (BEEP,))


HEARD: Mapping[str, Callable[[str, Mapping[str, Any]], Say | Play]] = {
    "talk": say_of,
    "play": play_of,
    "beep": beep_of,
}
"""The actions that are heard, and what they ask for under a play id."""


def sleep(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Nothing, for a while."""
    run.wake_at = now + timedelta(milliseconds=option["duration"])
    return Outcome(effect=Sleep(run.wake_at))


def echo(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Let people hear themselves."""
    return Outcome(effect=Echo(run.play_id, option["duration"]))


def mute(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Keep what is said from everybody, until the call ends."""
    return Outcome(effect=Mute())


def hangup(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """End the call. An answered call ends without a reason on every network: it is only noted."""
    said = [f"reason {option['reason']}"] if option.get("reason") else []
    if option.get("reference_id") is not None:
        said.append(f"as call {option['reference_id']}")
    return Outcome(detail=", ".join(said), effect=Finish())


def stop(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """End the flow, and with it the call."""
    return Outcome(effect=Finish())


def digits_send(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Press keys for the other side."""
    duration, gap = option.get("duration", KEY_MS), option.get("interval", KEY_MS)
    return Outcome(effect=SendDigits(run.play_id, option["digits"], duration, gap))


def digits_receive(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Wait for keys. Those pressed before, since any were read, count."""
    keys = run.keys
    typed = keys.ahead if keys.has_result else run.variables.get(DIGITS, "")
    run.keys = replace(keys, has_result=False, ahead="", last=typed)
    run.variables[DIGITS] = typed
    why = enough(typed, option)
    if why:
        run.keys = replace(run.keys, has_result=True)
        return Outcome(detail=why)
    run.wake_at = now + timedelta(milliseconds=option.get("duration") or DIGITS_WAIT_MS)
    return Outcome(effect=Listen(run.wake_at))


def enough(typed: str, option: Mapping[str, Any]) -> str:
    """Why no more keys are waited for; empty when they are."""
    length = option.get("length") or 0
    if typed and any(key in typed for key in option.get("key") or ""):
        return "ended by a key"
    if length and len(typed) >= length:
        return f"{length} keys"
    return ""


STEPS: Mapping[str, Step] = {
    "answer": answer,
    "talk": talk,
    "play": play,
    "beep": beep,
    "sleep": sleep,
    "echo": echo,
    "mute": mute,
    "hangup": hangup,
    "stop": stop,
    "digits_send": digits_send,
    "digits_receive": digits_receive,
}
