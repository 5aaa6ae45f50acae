from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import InvalidArgument
from services.common.ids import NIL, new_id
from services.common.paging import PAGE_BYTES, Cursor, Page, cut, next_token, page_request

MOMENT = datetime(2022, 4, 28, 2, 16, 39, 712142, tzinfo=UTC)
LARGE = "é" * (PAGE_BYTES // 5)
"""Two of these fit on a page."""


@dataclass(frozen=True)
class Row:
    tm_create: datetime
    id: UUID
    data: dict[str, list[str]] = field(default_factory=dict)


@pytest.mark.parametrize(("asked", "given"), [(0, 100), (-5, 100), (101, 100), (1, 1), (100, 100)])
def test_page_sizes_outside_the_range_become_the_default(asked: int, given: int) -> None:
    assert page_request(asked, "") == Page(given, None)


@pytest.mark.parametrize(
    "token",
    [
        "2022-04-28T02:16:39.712142Z",
        "2022-04-28 02:16:39.712142",
        "2022-04-28 02:16:39.712142Z",
        "2022-04-28T02:16:39.712142",
        "2022-04-28+02:16:39.712142",
        "2022-04-28T02:16:39.712142+00:00",
        "2022-04-28T02:16:39.712142999Z",
    ],
)
def test_both_documented_time_forms_are_accepted(token: str) -> None:
    assert page_request(0, token).before == Cursor(MOMENT)


def test_seconds_without_fraction_are_accepted() -> None:
    assert page_request(0, "2022-04-28T02:16:39Z").before == Cursor(MOMENT.replace(microsecond=0))


@pytest.mark.parametrize(
    "token",
    [
        "yesterday",
        "2022-13-28T02:16:39Z",
        "2022-04-28",
        "2022-04-28T02:16:39.712142Z~",
        "2022-04-28T02:16:39.712142Z~seven",
        "2022-04-28T02:16:39+02:00",
        "٢٠٢٢-04-28T02:16:39Z",
        " 2022-04-28T02:16:39Z",
    ],
)
def test_a_malformed_token_names_the_field(token: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^page_token is ") as caught:
        page_request(10, token)
    assert caught.value.reason == "INVALID_REQUEST_PARAMETER"


def test_the_token_is_the_documented_time() -> None:
    assert next_token([Row(MOMENT, new_id())], False) == "2022-04-28T02:16:39.712142Z"
    whole = Row(MOMENT.replace(microsecond=0), new_id())
    assert next_token([whole], False) == "2022-04-28T02:16:39.000000Z"
    elsewhere = Row(MOMENT.astimezone(timezone(timedelta(hours=9))), new_id())
    assert next_token([elsewhere], False) == "2022-04-28T02:16:39.712142Z"


def test_only_an_empty_page_ends_the_list() -> None:
    assert next_token([], False) == ""
    assert next_token([Row(MOMENT, new_id())], False) != ""


def test_a_cursor_without_an_id_excludes_the_whole_microsecond() -> None:
    assert Cursor(MOMENT).key == (MOMENT, NIL)


@given(
    offsets=st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 3])), max_size=40),
    size=st.integers(1, 7),
)
def test_walking_the_pages_finds_every_row_once(offsets: list[tuple[int, int]], size: int) -> None:
    # Of some rows two, of others not even one fit on a page.
    rows = [
        Row(MOMENT + timedelta(microseconds=each), new_id(), {"a": [LARGE] * large})
        for each, large in offsets
    ]
    rows.sort(key=lambda row: (row.tm_create, row.id), reverse=True)
    seen: list[Row] = []
    token = ""
    while True:
        page = page_request(size, token)
        found = page.parameters()
        key, limit = (found["tm"], found["before_id"]), found["limit"]
        after = [row for row in rows if (row.tm_create, row.id) < key]
        kept, token = cut(after[:limit], page)
        assert len(kept) <= 1 or sum(len(row.data.get("a", [])) for row in kept) <= 2
        seen += kept
        if not kept:
            break
    assert seen == rows
