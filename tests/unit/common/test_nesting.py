"""One depth of JSON that everything bears."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from services.common.nesting import MAX_DEPTH, is_deep, is_deep_text


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize(
    ("levels", "deep"), [(0, False), (MAX_DEPTH, False), (MAX_DEPTH + 1, True)]
)
def test_levels_are_counted_of_lists_and_objects(levels: int, deep: bool) -> None:
    assert is_deep(nested(levels)) is deep
    assert is_deep_text(orjson.dumps({"x": nested(levels)}).decode()) is (levels >= MAX_DEPTH)


def test_what_any_reader_lets_through_is_judged_without_failing() -> None:
    # orjson reads 1,024 levels.
    value = orjson.loads('{"a":' + "[" * 1000 + "]" * 1000 + "}")
    assert is_deep(value)


@pytest.mark.parametrize("text", ["", "[" * 100, "{" * 5000, "x" + "{}" * 50, "[" * 50 + "]" * 50])
def test_a_text_that_is_no_object_is_just_a_text(text: str) -> None:
    assert not is_deep_text(text)


def test_an_object_with_many_members_is_not_deep() -> None:
    assert not is_deep_text(orjson.dumps({f"m{n}": [{}] for n in range(500)}).decode())
