import uuid

import pytest

from services.common import ids
from services.common.errors import InvalidArgument


def test_ids_are_version_7_and_grow() -> None:
    made = [ids.new_id() for _ in range(1000)]
    assert {each.version for each in made} == {7}
    assert made == sorted(made)


def test_parse_accepts_either_case() -> None:
    value = uuid.uuid4()
    assert ids.parse_id(str(value).upper(), "id") == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "7",
        "x" * 36,
        str(ids.NIL),
        "{5a0a5b3e-7d2c-4f7a-9c07-0d6e6b0a6d3f}",
        "5a0a5b3e-7d2c-4f7a-9c07-0d6e6b0a6d3f ",
    ],
)
def test_parse_refuses_and_names_the_field(value: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^campaign_id is ") as caught:
        ids.parse_id(value, "campaign_id")
    assert caught.value.reason == "INVALID_ID"


def test_empty_and_nil_are_no_id() -> None:
    assert ids.optional_id("", "x") is None
    assert ids.optional_id(str(ids.NIL), "x") is None
    with pytest.raises(InvalidArgument):
        ids.optional_id("nonsense", "x")


def test_text_is_the_way_back() -> None:
    value = ids.new_id()
    assert ids.optional_id(ids.text(value), "x") == value
    assert ids.text(None) == ""
