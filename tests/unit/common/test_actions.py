"""The catalogue of actions."""

from __future__ import annotations

from typing import Any

import pytest

from services.common.actions import (
    CATALOGUE,
    MAX_ACTIONS,
    SUPPORTED,
    Action,
    unsupported,
    validate_actions,
)
from services.common.errors import InvalidArgument
from services.common.ids import new_id


def refused(*actions: Action) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        validate_actions(actions)
    return caught.value


@pytest.mark.parametrize("word", sorted(CATALOGUE))
def test_every_documented_word_is_accepted(word: str) -> None:
    assert validate_actions([Action(word)]) == [Action(word)]


def test_what_runs_is_documented() -> None:
    assert set(CATALOGUE) > SUPPORTED


@pytest.mark.parametrize("word", ["", "empty", "Talk", "say"])
def test_an_unknown_word_is_refused_with_its_place(word: str) -> None:
    error = refused(Action("talk"), Action("answer"), Action(word))
    assert error.reason == "INVALID_ACTION_TYPE"
    assert [each.field for each in error.violations] == ["actions[2].type"]
    assert repr(word) in error.message


@pytest.mark.parametrize(
    ("word", "option"),
    [
        ("talk", {"text": 1}),
        ("talk", {"async": "yes"}),
        ("sleep", {"duration": "1000"}),
        ("sleep", {"duration": 1.5}),
        ("sleep", {"duration": True}),
        ("play", {"stream_urls": "http://x"}),
        ("play", {"stream_urls": [1]}),
        ("branch", {"target_ids": {"1": 2}}),
        ("connect", {"destinations": {"target": "+1555"}}),
        ("call", {"source": 5}),
        ("call", {"actions": ["talk"]}),
        ("condition_datetime", {"weekdays": ["monday"]}),
        ("condition_variable", {"value_number": "1"}),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused_with_its_place(
    word: str, option: dict[str, Any]
) -> None:
    error = refused(Action(word, option))
    name = next(iter(option))
    assert error.reason == "INVALID_ACTION_TYPE"
    assert [each.field for each in error.violations] == [f"actions[0].option.{name}"]


def test_all_violations_are_told_at_once() -> None:
    error = refused(Action("nope"), Action("talk", {"text": 1, "language": 2}))
    assert [each.field for each in error.violations] == [
        "actions[0].type",
        "actions[1].option.text",
        "actions[1].option.language",
    ]


def test_null_and_further_members_are_kept() -> None:
    option = {"text": None, "extra": {"a": [1]}}
    assert validate_actions([Action("talk", option)])[0].option == option


@pytest.mark.parametrize("value", ["", "yes", "no", "auto"])
def test_documented_anonymous_values_are_accepted(value: str) -> None:
    assert validate_actions([Action("connect", {"anonymous": value})])


def test_another_anonymous_value_has_its_own_reason() -> None:
    assert refused(Action("connect", {"anonymous": "maybe"})).reason == "INVALID_ANONYMOUS_VALUE"
    both = refused(Action("connect", {"anonymous": "maybe"}), Action("nope"))
    assert both.reason == "INVALID_ACTION_TYPE"


@pytest.mark.parametrize("word", ["set_variables", "set_variable"])
def test_words_of_the_guide_become_the_documented_one(word: str) -> None:
    option = {"key": "a", "value": "b"}
    assert validate_actions([Action(word, option)]) == [Action("variable_set", option)]


def test_ids_are_kept_and_must_differ() -> None:
    same, other = new_id(), new_id()
    actions = [Action("answer", id=same, next_id=other), Action("hangup", id=other)]
    assert validate_actions(actions) == actions
    error = refused(Action("answer", id=same), Action("hangup"), Action("hangup", id=same))
    assert [each.field for each in error.violations] == ["actions[2].id"]


def test_too_many_actions_are_refused() -> None:
    assert len(validate_actions([Action("answer")] * MAX_ACTIONS)) == MAX_ACTIONS
    refused(*[Action("answer")] * (MAX_ACTIONS + 1))


def test_words_that_cannot_run_are_named_with_their_place() -> None:
    actions = [Action("talk"), Action("amd"), Action("hangup"), Action("echo")]
    assert unsupported(actions) == [(1, "amd"), (3, "echo")]
