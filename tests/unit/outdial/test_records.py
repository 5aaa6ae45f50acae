"""Bytes to records: the same records wherever the bytes are cut, and the line each begins on."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import InvalidArgument
from services.outdial.importing import records
from services.outdial.importing.records import CsvRecords, NdjsonRecords, Record, Records


def read(reader: Records, data: bytes, sizes: Sequence[int] = (5,)) -> list[Record]:
    found: list[Record] = []
    start = count = 0
    while start < len(data):
        size = sizes[count % len(sizes)]
        found += reader.feed(data[start : start + size])
        start, count = start + size, count + 1
    found += reader.feed(b"", is_last=True)
    return found


def rows(data: str | bytes, size: int = 5) -> list[tuple[int, object]]:
    """(line, cells), or (line, fault) for broken records."""
    raw = data.encode() if isinstance(data, str) else data
    return [(each.line, each.fault or each.content) for each in read(CsvRecords(), raw, [size])]


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_line_is_where_the_record_begins(size: int) -> None:
    text = 'a,b\r\n"x\r\ny",2\r\n\r\n3,"say ""hi"""\n5,6'
    assert rows(text, size) == [
        (1, ["a", "b"]),
        (2, ["x\r\ny", "2"]),
        (5, ["3", 'say "hi"']),
        (6, ["5", "6"]),
    ]


def test_byte_order_mark_is_dropped_and_utf_16_refused() -> None:
    assert rows("\ufeffphone\n1\n", 1) == [(1, ["phone"]), (2, ["1"])]
    with pytest.raises(InvalidArgument, match="UTF-16"):
        rows("phone\n".encode("utf-16"), 100)


def test_only_line_feeds_end_lines() -> None:
    assert rows("a\u2028b\x0bc\x85d,1\n") == [(1, ["a\u2028b\x0bc\x85d", "1"])]


def test_bytes_that_are_not_utf8_stay_in_their_cell() -> None:
    (record,) = rows(b"ok,\xff\xfe\n")
    assert record == (1, ["ok", "\udcff\udcfe"])


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_broken_record_does_not_end_the_list(size: int) -> None:
    found = rows('1,2\n3,"x"y\n4,5\n', size)
    assert found[0] == (1, ["1", "2"])
    assert found[1][0] == 2
    assert "not CSV" in str(found[1][1])
    assert found[2] == (3, ["4", "5"])


def test_carriage_returns_alone_are_explained() -> None:
    ((line, fault),) = rows("a,b\rc,d\r")
    assert line == 1
    assert "CRLF" in str(fault)


@pytest.mark.parametrize("size", [1, 6, 1000])
def test_quote_that_is_never_closed_costs_its_own_line_only(size: int) -> None:
    found = rows('1,2\n3,"x\n4,5\n6,7\n', size)
    assert found[1] == (2, "a quoted cell is not closed")
    assert [found[0], *found[2:]] == [(1, ["1", "2"]), (3, ["4", "5"]), (4, ["6", "7"])]


@pytest.mark.parametrize("size", [7, 1000, 50_000])
def test_a_stray_quote_costs_its_own_line_however_many_follow(size: int) -> None:
    lines = [f"name {number},+1555{number:07}" for number in range(5_000)]
    broken = [*lines]
    broken[1] = f'"{lines[1]}'
    broken[3_000] = broken[3_000].replace("name", '"name')
    # A properly quoted cell is what such a quote is closed by.
    broken[4_000] = '"quoted, too",+15550004000'
    found = read(CsvRecords(1, 2), "\n".join(broken).encode(), [size])
    assert [each.line for each in found] == list(range(1, 5_001))
    faults = [each for each in found if each.fault]
    assert [(each.line, each.cell) for each in faults] == [(2, 0), (3_001, 0)]
    assert [each.content for each in faults] == [broken[1], broken[3_000]]


@pytest.mark.parametrize("size", [3, 1000])
def test_a_stray_quote_that_is_closed_by_another_is_known_by_the_width(size: int) -> None:
    text = 'a,b\n"1,2\n3,4\n5",6\n7,8\n'
    found = read(CsvRecords(1, 2), text.encode(), [size])
    assert found[1].content == ["1,2\n3,4\n5", "6"], "which may be meant"
    found = read(
        CsvRecords(1, 2), text.replace('5"', '5,5"').replace('",6', '",6,7').encode(), [size]
    )
    assert [(each.line, bool(each.fault)) for each in found] == [
        (1, False),
        (2, True),
        (3, False),
        (4, False),  # of the wrong width, which the reader of the row finds
        (5, False),
    ]


def test_a_row_may_have_many_lines_but_not_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORD_LINES", 4)
    assert rows('"1\n2\n3\n4",x\n') == [(1, ["1\n2\n3\n4", "x"])]
    for size in (1, 1000):
        found = rows('"1\n2\n3\n4\n5",x\n6,y\n', size)
        assert [each[0] for each in found] == [1, 2, 3, 4, 5, 6]
        assert found[-1] == (6, ["6", "y"])
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 10)
    for size in (1, 5, 1000):
        found = rows('"1234567\n89",x\n6,y\n', size)
        assert [each[0] for each in found] == [1, 2, 3]
        assert found[-1] == (3, ["6", "y"])


@pytest.mark.parametrize(
    ("line", "cell", "value"),
    [
        ('1,"x"y,3', 1, '"x"y,3'),
        ('"a ""b""",2,"c', 2, '"c'),
        ("1,2\r2,3", 1, "2\r2,3"),
        ('"1', 0, '"1'),
    ],
)
def test_a_broken_line_says_which_cell_is_at_fault(line: str, cell: int, value: str) -> None:
    (found,) = read(CsvRecords(), line.encode() + b"\n", [100])
    assert found.fault
    assert (found.cell, found.content) == (cell, value)


def test_endless_line_is_one_broken_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 100)
    reader = CsvRecords()
    found = list(reader.feed(b"1,2\n" + b"x" * 150))
    assert [each.line for each in found] == [1, 2]
    assert "longer than" in found[1].fault
    assert reader.is_skipping
    assert list(reader.feed(b"y" * 50)) == []
    found = list(reader.feed(b"z\n3,4\n"))
    assert (found[0].line, found[0].content) == (3, ["3", "4"])
    assert not reader.is_skipping
    assert list(reader.feed(b"", is_last=True)) == []


def test_endless_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 10)
    assert [each.line for each in read(NdjsonRecords(), b"1\n" + b"x" * 40)] == [1, 2]
    assert [each.line for each in read(CsvRecords(), b'1\n"' + b"x" * 40)] == [1, 2]


def test_json_values_line_by_line() -> None:
    data = b'\xef\xbb\xbf{"a": 1}\r\n\n  \n[1]\n{bad\n"\xff"\n{"b": 2}'
    found = read(NdjsonRecords(), data)
    assert [(each.line, each.content) for each in found if not each.fault] == [
        (1, {"a": 1}),
        (4, [1]),
        (7, {"b": 2}),
    ]
    assert [each.line for each in found if each.fault] == [5, 6]


@pytest.mark.parametrize("make", [CsvRecords, NdjsonRecords])
def test_position_between_pieces_is_enough_to_go_on(
    make: type[CsvRecords] | type[NdjsonRecords],
) -> None:
    data = b'"a\nb",1\n2,3\n\n4,"5\n6"\n' if make is CsvRecords else b'{"a":1}\n\n[2]\n{"b":3}\n'
    whole = read(make(), data)
    for cut in range(len(data)):
        reader = make()
        before = list(reader.feed(data[:cut]))
        consumed = cut - reader.pending_bytes
        after = read(make(reader.next_line), data[consumed:])
        assert before + after == whole


cells = st.text(alphabet=st.sampled_from('ab,"\n\r é'), max_size=6)


@given(
    st.lists(st.lists(cells, min_size=2, max_size=3), max_size=8),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
)
def test_whatever_csv_is_written_is_read_back(table: list[list[str]], sizes: list[int]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(table)
    data = text.getvalue().encode()
    found = read(CsvRecords(), data, sizes)
    assert [each.content for each in found] == table
    lines = [1]
    for row in table:
        lines.append(lines[-1] + 1 + sum(cell.count("\n") for cell in row))
    assert [each.line for each in found] == lines[:-1]
