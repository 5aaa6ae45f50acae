"""The catalogue of actions: what a definition may hold."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from services.common.action_catalogue import CATALOGUE, LATER
from services.common.actions import (
    FINISH,
    MAX_ACTIONS,
    Action,
    queues_joined,
    read_option,
    validate_actions,
)
from services.common.address import Address
from services.common.errors import InvalidArgument
from services.common.ids import new_id
from services.common.nesting import MAX_DEPTH

AN_ID = "0191e6a0-0000-7000-8000-000000000001"
LEAST: dict[str, dict[str, Any]] = {
    "condition_call_status": {"status": "progressing"},
    "condition_variable": {"condition": "==", "variable": "${a}"},
    "connect": {"destinations": ["+15551234567"]},
    "digits_send": {"digits": "1"},
    "echo": {"duration": 1000},
    "fetch": {"event_url": "https://example.com/next"},
    "fetch_flow": {"flow_id": AN_ID},
    "goto": {"target_id": str(FINISH)},
    "play": {"stream_urls": ["hello.wav"]},
    "queue_join": {"queue_id": AN_ID},
    "sleep": {"duration": 1},
    "talk": {"text": "hi"},
    "variable_set": {"key": "a"},
    "webhook_send": {"uri": "http://example.com"},
}
"""The shortest option of each word that needs one."""
COMPARED = LEAST["condition_variable"]


def refused(*actions: Action) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        validate_actions(actions)
    return caught.value


@pytest.mark.parametrize("word", sorted(CATALOGUE))
def test_every_word_that_runs_is_accepted(word: str) -> None:
    action = Action(word, LEAST.get(word, {}))
    assert validate_actions([action]) == [action]
    assert read_option(word, action.option) is not None


@pytest.mark.parametrize("word", sorted(LATER))
def test_a_documented_word_that_does_not_run_is_refused_with_the_reason(word: str) -> None:
    error = refused(Action("answer"), Action(word))
    assert error.reason == "INVALID_ACTION_TYPE"
    assert [each.field for each in error.violations] == ["actions[1].type"]
    assert repr(word) in error.message
    assert "yet" in error.message


def test_every_documented_word_is_known() -> None:
    documented = """
        ai_summary ai_talk ai_task amd answer beep block branch call case_create condition_call_digits
        condition_call_status condition_datetime condition_variable confbridge_join conference_join
        connect conversation_send digits_receive digits_send echo email_send external_media_start
        external_media_stop fetch fetch_flow goto hangup message_send mute play queue_join
        recording_start recording_stop sleep stop stream_echo talk transcribe_start transcribe_stop
        transcribe_recording variable_set webhook_send
    """
    assert {*CATALOGUE, *LATER} == set(documented.split())
    assert not set(CATALOGUE) & set(LATER)


@pytest.mark.parametrize("word", ["", "empty", "Talk", "say"])
def test_an_unknown_word_is_refused_with_its_place(word: str) -> None:
    error = refused(Action("mute"), Action("answer"), Action(word))
    assert error.reason == "INVALID_ACTION_TYPE"
    assert [each.field for each in error.violations] == ["actions[2].type"]
    assert repr(word) in error.message


@pytest.mark.parametrize(
    ("word", "option", "place"),
    [
        ("talk", {"text": 1}, "text"),
        ("talk", {"text": " "}, "text"),
        ("talk", {"text": "x" * 10_001}, "text"),
        ("talk", {"text": "a\x00b"}, "text"),
        ("talk", {"text": "a", "async": "yes"}, "async"),
        ("talk", {"text": "a", "language": "english!"}, "language"),
        ("talk", {"text": "a", "digits_handle": "skip"}, "digits_handle"),
        ("sleep", {"duration": "1000"}, "duration"),
        ("sleep", {"duration": 1.5}, "duration"),
        ("sleep", {"duration": True}, "duration"),
        ("sleep", {"duration": 0}, "duration"),
        ("sleep", {"duration": 86_400_001}, "duration"),
        ("play", {"stream_urls": "http://x"}, "stream_urls"),
        ("play", {"stream_urls": []}, "stream_urls"),
        ("play", {"stream_urls": ["a.wav", 1]}, "stream_urls[1]"),
        ("play", {"stream_urls": ["../etc/passwd"]}, "stream_urls[0]"),
        ("play", {"stream_urls": ["/etc/passwd"]}, "stream_urls[0]"),
        ("play", {"stream_urls": ["file:///etc/passwd"]}, "stream_urls[0]"),
        ("branch", {"target_ids": {"1": 2}}, "target_ids.1"),
        ("branch", {"target_ids": [AN_ID]}, "target_ids"),
        ("branch", {"target_ids": {"1": AN_ID}}, "target_ids.1"),
        ("branch", {"default_target_id": AN_ID}, "default_target_id"),
        ("goto", {"target_id": AN_ID}, "target_id"),
        ("goto", {"target_id": "there"}, "target_id"),
        ("goto", {"target_id": str(FINISH), "loop_count": -1}, "loop_count"),
        ("goto", {"target_id": str(FINISH), "loop_count": 1001}, "loop_count"),
        ("connect", {"destinations": {"target": "+15551234567"}}, "destinations"),
        ("connect", {"destinations": []}, "destinations"),
        ("connect", {"destinations": ["+15551234567"] * 11}, "destinations"),
        ("connect", {"destinations": ["sip:a@b", {"type": "tel", "target": "x"}]}, "destinations[1].target"),
        ("connect", {"destinations": [{"type": "fax", "target": "x"}]}, "destinations[0].type"),
        ("connect", {"destinations": [{"target": 1}]}, "destinations[0].target"),
        ("connect", {"destinations": ["+15551234567"], "source": 5}, "source"),
        ("condition_datetime", {"weekdays": ["monday"]}, "weekdays[0]"),
        ("condition_datetime", {"weekdays": [7]}, "weekdays[0]"),
        ("condition_datetime", {"hour": 24}, "hour"),
        ("condition_datetime", {"minute": -2}, "minute"),
        ("condition_datetime", {"day": -1}, "day"),
        ("condition_datetime", {"month": 13}, "month"),
        ("condition_datetime", {"condition": "="}, "condition"),
        ("condition_variable", COMPARED | {"value_number": "1"}, "value_number"),
        ("condition_variable", COMPARED | {"value_type": "date"}, "value_type"),
        ("condition_variable", COMPARED | {"condition": "~"}, "condition"),
        ("condition_variable", COMPARED | {"false_target_id": AN_ID}, "false_target_id"),
        ("connect", {"destinations": ["a@example.com"]}, "destinations[0].type"),
        ("connect", {"destinations": [{"type": "agent", "target": AN_ID}]}, "destinations[0].type"),
        ("play", {"stream_urls": ["."]}, "stream_urls[0]"),
        ("play", {"stream_urls": ["a/../b.wav"]}, "stream_urls[0]"),
        ("condition_call_status", {"status": "gone"}, "status"),
        ("condition_call_digits", {"length": 101}, "length"),
        ("condition_call_digits", {"key": "x"}, "key"),
        ("digits_receive", {"duration": -1}, "duration"),
        ("digits_receive", {"duration": 600_001}, "duration"),
        ("digits_receive", {"length": 101}, "length"),
        ("digits_receive", {"key": "e"}, "key"),
        ("digits_send", {"digits": ""}, "digits"),
        ("digits_send", {"digits": "12E"}, "digits"),
        ("digits_send", {"digits": "1" * 101}, "digits"),
        ("digits_send", {"digits": "1", "duration": 99}, "duration"),
        ("digits_send", {"digits": "1", "interval": 5001}, "interval"),
        ("echo", {"duration": 0}, "duration"),
        ("amd", {"machine_handle": "wait"}, "machine_handle"),
        ("hangup", {"reason": "bored"}, "reason"),
        ("hangup", {"reference_id": "x"}, "reference_id"),
        ("queue_join", {"queue_id": "x"}, "queue_id"),
        ("queue_join", {"queue_id": ""}, "queue_id"),
        ("queue_join", {"queue_id": str(UUID(int=0))}, "queue_id"),
        ("recording_start", {"format": "mp3"}, "format"),
        ("recording_start", {"format": "ogg"}, "format"),
        ("recording_start", {"end_of_silence": -1}, "end_of_silence"),
        ("recording_start", {"end_of_key": "5"}, "end_of_key"),
        ("recording_start", {"duration": 86_401}, "duration"),
        ("recording_start", {"on_end_flow_id": AN_ID}, "on_end_flow_id"),
        ("fetch", {"event_url": "ftp://example.com"}, "event_url"),
        ("fetch", {"event_url": "example.com/x"}, "event_url"),
        ("fetch", {"event_url": "http:///x"}, "event_url"),
        ("fetch", {"event_url": "http://a b"}, "event_url"),
        ("fetch", {"event_url": "http://a/\r\nX: y"}, "event_url"),
        ("fetch", {"event_url": "http://a:99999/"}, "event_url"),
        ("fetch", {"event_url": "http://a/" + "x" * 2048}, "event_url"),
        ("fetch", {"event_url": "http://a", "event_method": "PUT"}, "event_method"),
        ("fetch_flow", {"flow_id": "x"}, "flow_id"),
        ("webhook_send", {"uri": "/path"}, "uri"),
        ("webhook_send", {"uri": "http://a", "method": "PATCH"}, "method"),
        ("webhook_send", {"uri": "http://a", "data_type": "a/b\r\nX: y"}, "data_type"),
        ("webhook_send", {"uri": "http://a", "data": "x" * 60_001}, "data"),
        ("variable_set", {"key": ""}, "key"),
        ("variable_set", {"key": "voipbin.call.id"}, "key"),
        ("variable_set", {"key": "VOIPBIN.x"}, "key"),
        ("variable_set", {"key": "a", "value": ["x"]}, "value"),
        ("variable_set", {"variables": {"a": {}}}, "variables.a"),
        ("variable_set", {"variables": {"voipbin.a": "x"}}, "variables.voipbin.a"),
    ],
)  # fmt: skip
def test_an_option_that_is_not_accepted_is_refused_with_its_place(
    word: str, option: dict[str, Any], place: str
) -> None:
    error = refused(Action("answer"), Action(word, option))
    assert error.reason == "INVALID_ACTION_TYPE"
    assert [each.field for each in error.violations] == [f"actions[1].option.{place}"]
    assert "accepted: " in error.violations[0].description


@pytest.mark.parametrize("word", sorted(set(LEAST)))
def test_what_an_action_cannot_do_without_is_asked_for(word: str) -> None:
    error = refused(Action(word))
    violation, *_ = error.violations
    assert violation.field == f"actions[0].option.{next(iter(LEAST[word]))}"
    assert "is missing; accepted: " in violation.description


@pytest.mark.parametrize(
    ("word", "option"),
    [
        ("sleep", {"duration": "${pause}"}),
        ("talk", {"text": "${greeting}", "language": "${language}"}),
        ("play", {"stream_urls": ["${url}", "a.wav"]}),
        ("queue_join", {"queue_id": "${queue}"}),
        ("goto", {"target_id": "${where}", "loop_count": "${times}"}),
        ("branch", {"target_ids": {"1": "${one}"}, "default_target_id": "${other}"}),
        ("connect", {"destinations": ["${voipbin.outdialtarget.data.manager}"], "source": "${me}"}),
        ("connect", {"destinations": [{"type": "tel", "target": "${number}"}]}),
        ("condition_datetime", {"hour": "${hour}", "weekdays": ["${day}"]}),
        ("condition_variable", COMPARED | {"condition": "${how}", "value_number": "${limit}"}),
        ("digits_send", {"digits": "${pin}#"}),
        ("fetch", {"event_url": "https://${host}/next"}),
        ("webhook_send", {"uri": "${uri}", "method": "${method}", "data_type": "${type}"}),
        ("variable_set", {"key": "${name}", "value": "${value}"}),
        ("amd", {"machine_handle": "${how}"}),
    ],
)
def test_variables_may_stand_wherever_a_text_or_a_number_may(
    word: str, option: dict[str, Any]
) -> None:
    assert validate_actions([Action(word, option)])[0].option == option


@pytest.mark.parametrize("value", ["${x}", 1, "true"])
def test_a_flag_is_true_or_false(value: Any) -> None:
    refused(Action("talk", {"text": "a", "async": value}))


def test_all_violations_are_told_at_once() -> None:
    error = refused(Action("nope"), Action("talk", {"text": 1, "language": 2}))
    assert [each.field for each in error.violations] == [
        "actions[0].type",
        "actions[1].option.text",
        "actions[1].option.language",
    ]


def test_null_and_further_members_are_kept() -> None:
    option = {"text": "a", "language": None, "extra": {"a": [1]}}
    assert validate_actions([Action("talk", option)])[0].option == option


@pytest.mark.parametrize("value", ["", "yes", "no", "auto"])
def test_documented_anonymous_values_are_accepted(value: str) -> None:
    assert validate_actions([Action("connect", {**LEAST["connect"], "anonymous": value})])


def test_another_anonymous_value_has_its_own_reason() -> None:
    wrong = Action("connect", {**LEAST["connect"], "anonymous": "maybe"})
    assert refused(wrong).reason == "INVALID_ANONYMOUS_VALUE"
    assert refused(wrong, Action("nope")).reason == "INVALID_ACTION_TYPE"


@pytest.mark.parametrize("word", ["set_variables", "set_variable"])
def test_words_of_the_guide_become_the_documented_one(word: str) -> None:
    option = {"key": "a", "value": "b"}
    assert validate_actions([Action(word, option)]) == [Action("variable_set", option)]
    assert read_option(word, option) == option


def test_several_variables_may_be_set_at_once() -> None:
    option = {"variables": {"a": 1, "b": True, "c": "x"}}
    assert validate_actions([Action("set_variables", option)])
    assert read_option("variable_set", option) == {"variables": {"a": "1", "b": "true", "c": "x"}}


def test_ids_are_kept_and_must_differ() -> None:
    same, other = new_id(), new_id()
    actions = [Action("answer", id=same, next_id=other), Action("hangup", id=other)]
    assert validate_actions(actions) == actions
    error = refused(Action("answer", id=same), Action("hangup"), Action("hangup", id=same))
    assert [each.field for each in error.violations] == ["actions[2].id"]
    assert refused(Action("answer", id=FINISH)).violations[0].field == "actions[0].id"


def test_a_successor_must_be_in_the_list() -> None:
    assert validate_actions([Action("answer", next_id=FINISH)])
    error = refused(Action("answer", next_id=new_id()))
    assert [each.field for each in error.violations] == ["actions[0].next_id"]


def test_targets_are_actions_of_the_list() -> None:
    one, two = new_id(), new_id()
    assert validate_actions(
        [
            Action("answer", id=one),
            Action("branch", {"target_ids": {"1": str(one)}, "default_target_id": str(two)}),
            Action("condition_variable", COMPARED | {"false_target_id": ""}),
            Action("goto", {"target_id": str(two)}, id=two),
        ]
    )


def test_options_of_absurd_depth_are_refused() -> None:
    deep: Any = 1
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    action = Action("beep", {"note": deep})
    assert validate_actions([action]) == [action]
    (violation,) = refused(Action("beep", {"note": [deep]})).violations
    assert violation.field == "actions[0].option"
    assert "deeper than 32 levels" in violation.description


@pytest.mark.parametrize(
    "option", [{"note": ["a\x00"]}, {"a\x00": 1}, {"note": {"x": {"\x00": 1}}}]
)
def test_a_nul_in_a_member_that_no_action_knows_is_refused(option: dict[str, Any]) -> None:
    (violation,) = refused(Action("beep", option)).violations
    assert violation.field == "actions[0].option"
    assert "NUL" in violation.description


def test_too_many_actions_are_refused() -> None:
    assert len(validate_actions([Action("answer")] * MAX_ACTIONS)) == MAX_ACTIONS
    refused(*[Action("answer")] * (MAX_ACTIONS + 1))


def test_an_executor_sees_values_not_texts() -> None:
    read = read_option(
        "connect", {"destinations": ["+1 555 123 4567", {"type": "sip", "target": "a@B"}]}
    )
    assert read["destinations"] == [Address("tel", "+15551234567"), Address("sip", "a@b")]
    assert read_option("sleep", {"duration": "1500"}) == {"duration": 1500}
    assert read_option("hangup", {"reason": "no_answer", "reference_id": AN_ID}) == {
        "reason": "noanswer",
        "reference_id": UUID(AN_ID),
    }
    assert read_option("digits_send", {"digits": "12a#"}) == {"digits": "12A#"}


@pytest.mark.parametrize(
    ("word", "option", "words"),
    [
        ("sleep", {"duration": "soon"}, "duration is 'soon'; accepted: a whole number from 1"),
        ("sleep", {"duration": ""}, "duration is ''"),
        ("sleep", {}, "duration is missing"),
        ("goto", {"target_id": ""}, "target_id is missing"),
        ("connect", {"destinations": ["x"]}, "destinations[0]"),
        ("condition_variable", COMPARED | {"value_number": "nan"}, "value_number is 'nan'"),
    ],
)
def test_what_variables_have_made_unusable_is_named(
    word: str, option: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (its text is looked at)
        read_option(word, option)
    assert words in str(caught.value)


def test_the_queues_that_are_named_outright_are_known() -> None:
    actions = [
        Action("queue_join", {"queue_id": AN_ID}),
        Action("queue_join", {"queue_id": "${queue}"}),
        Action("talk", {"text": "x"}),
    ]
    assert queues_joined(actions) == {"actions[0].option.queue_id": UUID(AN_ID)}
