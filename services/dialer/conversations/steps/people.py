"""Who is on the call, whom it is connected with, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.dialer.conversations.effects import (
    Connect,
    Detect,
    JoinQueue,
    StartRecording,
    StopRecording,
)
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.steps.outcome import Outcome, Step, failed
from services.dialer.domain.cursors import Detection, OpenRecording
from services.dialer.domain.recordings import RecordingWish

_END_KEYS = {"": "", "none": "", "any": "0123456789ABCD*#"}


def queue_join(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Wait for an agent of the queue and talk to them."""
    return Outcome(effect=JoinQueue(option["queue_id"]))


def connect(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Ring people and connect the first who answers."""
    types = run.address_types
    given = [each for each in option["destinations"] if each is not None]
    destinations = tuple(each for each in given if each.type in types)
    if not destinations:
        kinds = ", ".join(sorted({each.type or "unknown" for each in given}) or ["empty"])
        return failed(f"destinations are {kinds}; the network can call {', '.join(sorted(types))}")
    is_anonymous = option.get("anonymous") == "yes"
    return Outcome(effect=Connect(destinations, option.get("source"), is_anonymous))


def recording_start(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Record the call from now on."""
    if run.recording is not None:
        return failed(f"recording {run.recording.id} is on already")
    keys = option.get("end_of_key", "")
    wish = RecordingWish(
        format=option.get("format") or "wav",
        max_duration_ms=option.get("duration", 0) * 1000,
        silence_ms=option.get("end_of_silence", 0) * 1000,
        end_keys=_END_KEYS.get(keys, keys),
        has_beep=option.get("beep_start", False),
    )
    opened = OpenRecording(run.step_id("recording"), wish.format, now, run.executions)
    run.open_recording(opened)
    return Outcome(detail=f"recording {opened.id}", effect=StartRecording(opened, wish))


def recording_stop(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Record no longer."""
    if run.recording is None:
        return Outcome(detail="nothing was being recorded")
    effect = StopRecording(run.recording.id)
    run.stop_recording()
    return Outcome(effect=effect)


def amd(run: FlowRun, option: Mapping[str, Any], now: datetime) -> Outcome:
    """Find out whether a person or a machine has answered."""
    run.detection = Detection(option.get("machine_handle") != "continue", run.executions)
    return Outcome(effect=Detect(waits=not option.get("async", False)))


STEPS: Mapping[str, Step] = {
    "queue_join": queue_join,
    "connect": connect,
    "recording_start": recording_start,
    "recording_stop": recording_stop,
    "amd": amd,
}
