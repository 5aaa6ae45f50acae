"""What is heard, what the network cannot do, and what needs a call."""

from __future__ import annotations

from typing import Any

import pytest

from services.common.actions import Action
from services.common.ids import new_id
from services.dialer.conversations.effects import (
    Detect,
    Echo,
    Finish,
    Mute,
    Play,
    Say,
    SendDigits,
)
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.interpreter import (
    advance,
    complete,
)
from services.dialer.telephony import BEEP, Capability
from tests.unit.dialer.fakes import START, action
from tests.unit.dialer.runs import details, make_run, outcomes, walk

SPOKEN = action("talk", text="behind")


def begun(run: FlowRun) -> Any:
    """The one effect that the first action waits for."""
    (effect,) = advance(run, START)
    return effect


@pytest.mark.parametrize(
    ("step", "effect"),
    [
        (
            action("talk", text="hi", language="de-DE", voice_id="anna", provider="gcp"),
            Say("step-1", "hi", "de-DE", "anna"),
        ),
        (action("play", stream_urls=["a.wav", "http://x/b"]), Play("step-1", ("a.wav", "http://x/b"))),
        (action("beep"), Play("step-1", (BEEP,))),
        (action("digits_send", digits="12a#"), SendDigits("step-1", "12A#", 100, 100)),
        (
            action("digits_send", digits="1", duration=250, interval=0),
            SendDigits("step-1", "1", 250, 0),
        ),
        (action("echo", duration=5000), Echo("step-1", 5000)),
        (action("amd"), Detect()),
    ],
    ids=lambda each: each.type if isinstance(each, Action) else "",
)  # fmt: skip
def test_an_action_that_takes_time_is_waited_for(step: Action, effect: Any) -> None:
    run = make_run(step, SPOKEN)
    assert begun(run) == effect
    assert complete(run, START) == [Say("step-2", "behind", "")]
    assert outcomes(run)[0] == (step.type, "done")


def test_mute_takes_no_time() -> None:
    assert advance(make_run(action("mute"), SPOKEN), START) == [Mute(), Say("step-2", "behind", "")]


@pytest.mark.parametrize(
    ("option", "detail"),
    [
        ({}, ""),
        ({"reason": "busy"}, "reason busy"),
        ({"reason": "no_answer"}, "reason noanswer"),
        ({"reference_id": "0191e6a0-0000-7000-8000-000000000001"}, "as call 0191e6a0"),
    ],
)
def test_hangup_ends_the_call_and_says_why(option: dict[str, Any], detail: str) -> None:
    run = make_run(action("hangup", **option), SPOKEN)
    assert walk(run) == [Finish()]
    assert details(run)[0].startswith(detail)


@pytest.mark.parametrize(
    ("word", "missing", "option"),
    [
        ("talk", Capability.SAY, {"text": "x"}),
        ("play", Capability.PLAY, {"stream_urls": ["a"]}),
        ("beep", Capability.PLAY, {}),
        ("echo", Capability.ECHO, {"duration": 1}),
        ("mute", Capability.MUTE, {}),
        ("digits_send", Capability.SEND_DIGITS, {"digits": "1"}),
        ("digits_receive", Capability.RECEIVE_DIGITS, {}),
        ("recording_start", Capability.RECORD, {}),
        ("recording_stop", Capability.RECORD, {}),
        ("amd", Capability.DETECT, {}),
        ("connect", Capability.BRIDGE, {"destinations": ["+15551234567"]}),
        ("queue_join", Capability.BRIDGE, {"queue_id": str(new_id())}),
    ],
)
def test_what_the_network_cannot_do_fails_with_the_reason_and_the_flow_goes_on(
    word: str, missing: Capability, option: dict[str, Any]
) -> None:
    run = make_run(action(word, **option), action("sleep", duration=1))
    run.capabilities = frozenset(Capability) - {missing}
    advance(run, START)
    assert outcomes(run) == [(word, "failed"), ("sleep", "done")]
    assert details(run)[0] == f"the network cannot do this ({missing.value})"


@pytest.mark.parametrize(
    "word",
    ["answer", "talk", "play", "beep", "sleep", "echo", "mute", "digits_send", "digits_receive",
     "hangup", "connect", "queue_join", "recording_start", "recording_stop", "amd",
     "condition_call_digits", "condition_call_status"],
)  # fmt: skip
def test_without_a_call_it_is_skipped_and_the_history_says_so(word: str) -> None:
    run = make_run(action(word), has_call=False)
    assert advance(run, START) == [Finish()]
    assert outcomes(run) == [(word, "skipped")]
    assert details(run) == [f"{word} needs a call"]
