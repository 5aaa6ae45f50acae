import pytest

from services.common.errors import InvalidArgument
from services.common.texts import (
    MAX_NAME,
    MAX_TEXT,
    check_data,
    check_text,
    check_texts,
    storable,
)


def test_lengths_are_counted_in_characters() -> None:
    assert check_text("name", "é" * 255, MAX_NAME) == "é" * 255
    with pytest.raises(InvalidArgument, match="name is '256 characters long'"):
        check_text("name", "é" * 256, MAX_NAME)


def test_a_nul_is_refused() -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_text("detail", "a\x00b", MAX_TEXT)
    assert [each.field for each in caught.value.violations] == ["detail"]


def test_names_are_shorter_than_other_texts_and_absent_ones_are_not_judged() -> None:
    check_texts(name="x" * MAX_NAME, detail="x" * MAX_TEXT, data=None)
    for member, longest in (("name", MAX_NAME), ("detail", MAX_TEXT), ("data", MAX_TEXT)):
        with pytest.raises(InvalidArgument, match=member):
            check_texts(**{member: "x" * (longest + 1)})


def test_words_that_come_with_a_fact_are_cut_and_not_refused() -> None:
    assert storable("a\x00b") == "ab"
    assert storable("x" * 300) == "x" * 255


def test_data_that_would_become_variables_must_not_be_too_deep() -> None:
    deep = '{"a":' + "[" * 400 + "]" * 400 + "}"
    check_texts(detail=deep)
    with pytest.raises(InvalidArgument, match="data is 'nested deeper than 32 levels'"):
        check_data(deep)
