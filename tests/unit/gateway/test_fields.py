from __future__ import annotations

import functools
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outbound.common.v1 import action_pb2, address_pb2

from gateway.documents import ACTION_LIST, ADDRESS, DATA, IDENTIFIERS
from gateway.fields import (
    REFERENCE,
    Body,
    Field,
    FieldKind,
    integer,
    list_of,
    number,
    text,
    text_map,
    words,
)
from gateway.table import ROUTES
from services.common.errors import InvalidArgument

ID = "183C0D5C-691e-42f3-af2b-9bffc2740f83"
DEEP: dict[str, Any] = functools.reduce(lambda inner, _: {"a": inner}, range(300), {})
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("kind", "value", "parsed"),
    [
        (text(3), "abc", "abc"),
        (text(3, 1), "é", "é"),
        (integer(0, 5), 5, 5),
        (number(0, 5), 5, 5.0),
        (words({"a": 1, "b": 2}), "b", 2),
        (REFERENCE, ID, ID.lower()),
        (REFERENCE, "", ""),
        (REFERENCE, "00000000-0000-0000-0000-000000000000", ""),
        (list_of(integer(0, 5), 2), [1, 2], [1, 2]),
        (text_map(1, 3), {"a": "b"}, {"a": "b"}),
        (DATA, "as is", "as is"),
        (DATA, {"b": 1, "a": None}, '{"b":1,"a":null}'),
        (DATA, 5, "5"),
        (DATA, False, "false"),
        (ADDRESS, "+1555", address_pb2.Address(target="+1555")),
        (
            ADDRESS,
            {"target": "+1555", "other": 1, "name": None},
            address_pb2.Address(target="+1555"),
        ),
        (ADDRESS, {}, address_pb2.Address()),
        (integer(0, 5), 5.0, 5),
        (text(), "\U0001f600" * 65_536, "\U0001f600" * 65_536),
        (
            ACTION_LIST,
            [{"type": "talk", "id": ID, "option": {"text": "é", "n": 1.0}, "tm_execute": None}],
            [action_pb2.Action(type="talk", id=ID.lower(), option_json='{"text":"é","n":1.0}')],
        ),
    ],
)
def test_good_values(kind: FieldKind, value: Any, parsed: Any) -> None:
    assert kind.parse(value, "f") == parsed
    jsonschema.validate(value, kind.schema)


@pytest.mark.parametrize(
    ("kind", "value", "reason", "accepted"),
    [
        (text(3), "abcd", "INVALID_ARGUMENT", "0 to 3"),
        (text(3), 5, "INVALID_JSON_BODY", "0 to 3"),
        (text(3, 1), "", "INVALID_ARGUMENT", "1 to 3"),
        (integer(0, 5, "ms"), 6, "INVALID_ARGUMENT", "from 0 to 5 ms"),
        (integer(0, 5), 1.5, "INVALID_JSON_BODY", "whole number"),
        (integer(0, 5), False, "INVALID_JSON_BODY", "whole number"),
        (number(0, 5), "1", "INVALID_JSON_BODY", "number"),
        (words({"a": 1}), "A", "INVALID_ARGUMENT", "'a'"),
        (words({"a": 1}), {}, "INVALID_JSON_BODY", "'a'"),
        (REFERENCE, ID[1:], "INVALID_ARGUMENT", "UUID"),
        (REFERENCE, ID.replace("-", ""), "INVALID_ARGUMENT", "UUID"),
        (REFERENCE, 5, "INVALID_JSON_BODY", "UUID"),
        (IDENTIFIERS, [""], "INVALID_ARGUMENT", "not nil"),
        (list_of(integer(0, 5), 1), [1, 2], "INVALID_ARGUMENT", "at most 1"),
        (list_of(integer(0, 5), 1), {}, "INVALID_JSON_BODY", "list"),
        (text_map(1, 3), {"a": 1}, "INVALID_JSON_BODY", "text"),
        (text_map(1, 3), {"a\x00": ""}, "INVALID_ARGUMENT", "NUL"),
        (text_map(1, 3), {"a": "", "b": ""}, "INVALID_ARGUMENT", "at most 1"),
        (DATA, ["\x00"], "INVALID_ARGUMENT", "NUL"),
        (DATA, "x" * 70_000, "INVALID_ARGUMENT", "65536"),
        (ADDRESS, 5, "INVALID_JSON_BODY", "address"),
        (ADDRESS, {"target": []}, "INVALID_JSON_BODY", "text"),
        (ACTION_LIST, [{}], "INVALID_ARGUMENT", "type"),
        (ACTION_LIST, [{"type": "beep", "option": DEEP}], "INVALID_ARGUMENT", "32 levels"),
    ],
)
def test_bad_values_say_what_is_accepted(
    kind: FieldKind, value: Any, reason: str, accepted: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        kind.parse(value, "the_field")
    assert caught.value.reason == reason
    assert accepted in caught.value.message
    assert caught.value.violations[0].field.startswith("the_field")


def test_null_is_absent_and_unknown_members_are_dropped() -> None:
    body = Body("B", Field("a", text(5)), Field("b", text(5)))
    assert body.parse({"a": None, "b": "x", "c": 1}) == {"b": "x"}


def test_required_members_are_missed_also_when_null() -> None:
    body = Body("B", Field("a", text(5), required=True))
    for given_body in ({}, {"a": None}):
        with pytest.raises(InvalidArgument, match="a is missing"):
            body.parse(given_body)


BODIES = {route.body.name: route.body for route in ROUTES if route.body is not None}
VALIDATORS = {name: jsonschema.Draft202012Validator(body.schema) for name, body in BODIES.items()}


@settings(deadline=None, max_examples=50)
@given(JSON)
def test_no_body_whatever_it_is_makes_anything_but_an_invalid_argument(value: Any) -> None:
    for name, body in BODIES.items():
        candidates = [value]
        if isinstance(value, dict):
            names = [field.name for field in body.fields]
            candidates.append(dict(zip(names, value.values(), strict=False)))
        for candidate in candidates:
            try:
                body.parse(candidate)
            except InvalidArgument:
                continue
            VALIDATORS[name].validate(candidate)
