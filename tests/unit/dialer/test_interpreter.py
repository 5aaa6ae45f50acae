"""Actions become effects; what users write cannot break the interpreter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.common.actions import Action
from services.common.errors import InvalidArgument
from services.common.ids import new_id
from services.dialer.conversations.effects import Finish, JoinQueue, Play, Say, Sleep
from services.dialer.conversations.flow_run import restore
from services.dialer.conversations.interpreter import (
    UnusableOptionError,
    advance,
    complete,
    option_of,
    pressed,
    resume,
)
from services.dialer.domain.campaigns import TargetFacts
from services.dialer.domain.variables import (
    accept_from_outside,
    of_campaign,
    substitute,
)
from tests.unit.dialer.fakes import START, action, address, make_definition
from tests.unit.dialer.runs import make_run, outcomes, walk


def test_actions_run_in_order_and_the_end_hangs_up() -> None:
    run = make_run(action("answer"), action("talk", text="hi", language="en-US"), action("play"))
    assert advance(run, START) == [Say("step-2", "hi", "en-US")]
    assert complete(run, START) == [Finish()]
    assert run.is_ended
    assert outcomes(run) == [("answer", "done"), ("talk", "done"), ("play", "failed")]


def test_every_medium_action_gives_its_effect() -> None:
    queue_id = new_id()
    run = make_run(
        action("play", stream_urls=["a.wav", "b.wav"]),
        action("sleep", duration=1500),
        action("queue_join", queue_id=str(queue_id)),
        action("hangup", reason="busy"),
        action("talk", text="never"),
    )
    assert walk(run) == [
        Play("step-1", ("a.wav", "b.wav")),
        Sleep(START + timedelta(seconds=1.5)),
        JoinQueue(queue_id),
        Finish(),
    ]


def test_stop_ends_the_flow() -> None:
    assert walk(make_run(action("stop"), action("talk", text="x"))) == [Finish()]


def test_an_asynchronous_talk_does_not_wait() -> None:
    run = make_run(Action("talk", {"text": "music", "async": True}), action("sleep", duration=1000))
    first, second = advance(run, START)
    assert isinstance(first, Say)
    assert not first.waits
    assert isinstance(second, Sleep)


def test_variables_are_put_into_every_text_of_an_option() -> None:
    variables = {"name": "Kim", "n": "3"}
    assert substitute({"a": ["${name}", {"b": "${n}${n}"}], "c": 7}, variables) == {
        "a": ["Kim", {"b": "33"}],
        "c": 7,
    }
    assert substitute("${unknown}!", variables) == "!"
    assert substitute("${ name }", variables) == "Kim"
    assert substitute("$name {name}", variables) == "$name {name}"
    assert substitute("${${name}}, ${n}", variables) == ", 3"
    assert substitute("${name ${n}", variables) == "${name 3"


def test_a_value_is_not_substituted_again() -> None:
    assert substitute("${a}", {"a": "${b}", "b": "secret"}) == "${b}"


def test_variable_set_is_seen_by_later_actions() -> None:
    run = make_run(
        action("variable_set", key="who", value="${name}!"),
        action("talk", text="hi ${who}"),
        name="Kim",
    )
    assert advance(run, START) == [Say("step-2", "hi Kim!", "")]


def test_the_systems_names_cannot_be_set() -> None:
    run = make_run(action("variable_set", key="VoIPBin.campaign.id", value="x"))
    walk(run)
    assert outcomes(run) == [("variable_set", "failed")]
    assert "VoIPBin.campaign.id" not in run.variables


def test_goto_jumps_so_many_times_and_then_goes_on() -> None:
    first = new_id()
    run = make_run(
        action("talk", first, text="again"),
        action("goto", target_id=str(first), loop_count=2),
        action("talk", text="done"),
    )
    said = [effect.text for effect in walk(run) if isinstance(effect, Say)]
    assert said == ["again", "again", "again", "done"]


def test_next_id_names_the_successor() -> None:
    last = new_id()
    run = make_run(
        Action("talk", {"text": "one"}, next_id=last),
        action("talk", text="skipped"),
        action("talk", last, text="two"),
    )
    assert [each.text for each in walk(run) if isinstance(each, Say)] == ["one", "two"]


@pytest.mark.parametrize(
    ("option", "is_true"),
    [
        ({"condition": "==", "variable": "${a}", "value_string": "5"}, True),
        ({"condition": "!=", "variable": "${a}", "value_string": "5"}, False),
        ({"condition": ">", "variable": "${a}", "value_type": "number", "value_number": 4.5}, True),
        ({"condition": "<=", "variable": "${a}", "value_type": "number", "value_number": 4}, False),
        ({"condition": "==", "variable": "${a}", "value_type": "length", "value_length": 1}, True),
        ({"condition": ">=", "variable": "", "value_type": "length", "value_length": 1}, False),
    ],
)
def test_condition_variable(option: dict[str, Any], is_true: bool) -> None:
    target = new_id()
    run = make_run(
        Action("condition_variable", {**option, "false_target_id": str(target)}),
        action("talk", text="true"),
        action("talk", target, text="false"),
        a="5",
    )
    (said,) = advance(run, START)
    assert isinstance(said, Say)
    assert said.text == ("true" if is_true else "false")


@pytest.mark.parametrize(
    "option",
    [
        {"condition": "~", "variable": "1"},
        {"condition": "==", "variable": "x", "value_type": "number", "value_number": 1},
        {"condition": "==", "variable": "nan", "value_type": "number", "value_number": 1},
        {"condition": "!=", "variable": "x", "false_target_id": "no uuid"},
        {
            "condition": "==",
            "variable": "x",
            "value_string": "y",
            "false_target_id": str(UUID(int=9)),
        },
    ],
)
def test_an_unusable_condition_fails_and_the_flow_goes_on(option: dict[str, Any]) -> None:
    run = make_run(Action("condition_variable", option), action("talk", text="on"))
    effects = advance(run, START)
    assert effects[-1] == Say("step-2", "on", "")


def nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    "unusable",
    [action("no_such_word"), action("talk", text=nested(5_000)), action("sleep", duration="soon")],
)
def test_whatever_is_wrong_with_options_is_one_error(unusable: Action) -> None:
    with pytest.raises(UnusableOptionError):
        option_of(make_run(unusable), unusable)


def test_a_key_ends_the_wait_for_keys_whose_options_have_become_unusable() -> None:
    run = make_run(action("digits_receive", duration=1000), action("talk", text="on"))
    advance(run, START)
    run.top.actions = (action("digits_receive", key=nested(5_000)), *run.top.actions[1:])
    assert pressed(run, "1")
    assert run.history[-1].detail == "its options have become unusable"


def test_branch_follows_the_keys_pressed_and_clears_them() -> None:
    one, other = new_id(), new_id()
    run = make_run(
        action("talk", text="press", digits_handle="next"),
        action("branch", target_ids={"1": str(one)}, default_target_id=str(other)),
        action("talk", other, text="other"),
        action("talk", one, text="one"),
    )
    advance(run, START)
    assert pressed(run, "1")
    assert complete(run, START) == [Say("step-3", "one", "")]
    assert run.variables["voipbin.call.digits"] == ""


def test_a_key_does_not_end_an_ordinary_talk() -> None:
    run = make_run(action("talk", text="long"))
    advance(run, START)
    assert not pressed(run, "5")
    assert run.variables["voipbin.call.digits"] == "5"


def test_branch_without_a_match_takes_the_default_or_goes_on() -> None:
    run = make_run(action("branch", target_ids={}), action("talk", text="on"))
    assert advance(run, START) == [Say("step-2", "on", "")]


@pytest.mark.parametrize(
    ("type_", "option"),
    [
        ("talk", {}),
        ("talk", {"text": "   "}),
        ("talk", {"text": 5.5}),
        ("play", {"stream_urls": "a.wav"}),
        ("play", {"stream_urls": []}),
        ("sleep", {"duration": -1}),
        ("sleep", {"duration": "soon"}),
        ("sleep", {"duration": 10**12}),
        ("queue_join", {}),
        ("queue_join", {"queue_id": "x"}),
        ("goto", {"loop_count": 1, "target_id": "x"}),
        ("goto", {"loop_count": 1}),
        ("goto", {"loop_count": []}),
        ("branch", {"target_ids": ["a"]}),
        ("branch", {"variable": 7}),
        ("variable_set", {}),
        ("variable_set", {"key": "", "value": 1}),
        ("no_such_action", {"a": None}),
    ],
)
def test_what_users_write_cannot_break_it(type_: str, option: dict[str, Any]) -> None:
    run = make_run(Action(type_, option), action("talk", text="still here"))
    effects = walk(run)
    assert effects[-1] == Finish()
    assert any(isinstance(each, Say) and each.text == "still here" for each in effects)


def test_an_action_stored_before_it_was_refused_is_skipped_and_the_history_says_so() -> None:
    run = make_run(action("conference_join"))
    walk(run)
    assert outcomes(run) == [("conference_join", "skipped")]
    assert run.history[0].detail == "conference_join is not supported"


def test_without_a_call_media_actions_are_skipped() -> None:
    run = make_run(
        action("talk", text="x"),
        action("sleep", duration=1000),
        action("variable_set", key="a", value="b"),
        has_call=False,
    )
    assert advance(run, START) == [Finish()]
    assert outcomes(run) == [("talk", "skipped"), ("sleep", "skipped"), ("variable_set", "done")]
    assert run.history[0].detail == "talk needs a call"


def test_an_endless_loop_ends_after_a_hundred_actions() -> None:
    first = new_id()
    run = make_run(Action("variable_set", {"key": "a", "value": "b"}, id=first, next_id=first))
    assert advance(run, START) == [Finish()]
    assert run.executions == 100
    assert len(run.history) == 100
    assert run.history[-1].detail == "more than 100 actions executed"


def test_a_stored_run_goes_on_with_the_same_execution() -> None:
    run = make_run(
        action("variable_set", key="a", value="1"),
        action("talk", text="say ${a}"),
        action("talk", text="next"),
    )
    advance(run, START)
    again = restore(run.stored(), "dialer-2")
    assert resume(again, START) == [Say("step-2", "say 1", "")]
    assert again.executions == run.executions
    assert len(again.history) == len(run.history)
    assert complete(again, START) == [Say("step-3", "next", "")]


def test_a_stored_sleep_ends_when_it_would_have() -> None:
    run = make_run(action("sleep", duration=60_000))
    advance(run, START)
    later = START + timedelta(seconds=50)
    assert resume(restore(run.stored(), "d2"), later) == [Sleep(START + timedelta(seconds=60))]


def test_a_stored_end_stays_an_end() -> None:
    run = make_run(action("stop"))
    advance(run, START)
    assert resume(restore(run.stored(), "d2"), START) == []


def test_target_data_becomes_variables() -> None:
    definition = make_definition()
    target = TargetFacts(new_id(), new_id(), "Kim", "vip", '{"city": "Seoul", "n": 7, "x": null}')
    found = of_campaign(definition.campaign, target, new_id(), address("+15551234567"), 0, 2)
    assert found["voipbin.outdialtarget.name"] == "Kim"
    assert found["voipbin.outdialtarget.data.city"] == "Seoul"
    assert found["voipbin.outdialtarget.data.n"] == "7"
    assert found["voipbin.outdialtarget.data.x"] == ""
    assert found["voipbin.campaign.name"] == "spring"
    assert found["voipbin.campaigncall.try_count"] == "2"
    assert found["voipbin.destination.target"] == "+15551234567"


@pytest.mark.parametrize("data", ["", "plain", "[1]", "{broken", "[" * 50_000, "{" * 50_000])
def test_target_data_that_is_no_object_is_only_text(data: str) -> None:
    target = TargetFacts(new_id(), new_id(), data=data)
    campaign = make_definition().campaign
    found = of_campaign(campaign, target, new_id(), address("+15551234567"), 0, 1)
    assert found["voipbin.outdialtarget.data"] == data
    assert not [name for name in found if name.startswith("voipbin.outdialtarget.data.")]


def test_target_data_that_is_too_deep_is_left_out_and_keeps_no_flow_from_beginning() -> None:
    data = '{"a":' + "[" * 400 + "]" * 400 + ',"b":[1]}'
    target = TargetFacts(new_id(), new_id(), data=data)
    campaign = make_definition().campaign
    found = of_campaign(campaign, target, new_id(), address("+15551234567"), 0, 1)
    members = {name: found[name] for name in found if "outdialtarget.data." in name}
    assert members == {"voipbin.outdialtarget.data.b": "[1]"}


@pytest.mark.parametrize("given", [{"a\x00b": "x"}, {"a": "x\x00"}])
def test_variables_with_a_nul_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument, match="without NUL"):
        accept_from_outside(given)


def test_variables_from_outside_lose_the_systems_names() -> None:
    assert accept_from_outside({"a": "1", "VOIPBIN.x": "2"}) == {"a": "1"}


@pytest.mark.parametrize(
    "given",
    [
        {f"n{n}": "" for n in range(101)},
        {"a": "x" * 32_769},
        {"a": "x" * 30_000, "b": "x" * 30_000, "c": "x" * 30_000},
    ],
)
def test_variables_from_outside_have_caps(given: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument):
        accept_from_outside(given)
