"""Bytes of a list to its records, as they come in and wherever they are cut.

Each record knows the line it begins on. What cannot be read is one broken line, never the end of the
list: reading goes on with the next line, also when a quote has opened a cell that swallowed many.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import orjson

from services.common.errors import InvalidArgument
from services.common.nesting import DEEP, SHALLOW, is_deep

MAX_RECORD_BYTES = 1024 * 1024
"""A line longer than this is a broken record; what is read ahead stays below it."""
MAX_RECORD_LINES = 100
"""A row that goes on for more lines has a quote too many; so has one that is longer than a line may be."""
MAX_SHOWN_BYTES = 1024
"""As much of a dropped line is kept to be shown."""
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UNCLOSED = "unexpected end of data"
_NOT_CLOSED = "a quoted cell is not closed"


@dataclass(slots=True)
class Record:
    """A record of the list: cells of a CSV row, or the value of a JSON line; or a text and what is wrong
    with it, in which cell if that is known.
    """

    line: int
    content: Any
    fault: str = ""
    cell: int | None = None


class Records(Protocol):
    """Reads a list piece by piece."""

    @property
    def next_line(self) -> int:
        """The line after the last complete record."""

    @property
    def pending_bytes(self) -> int:
        """Bytes fed that do not make a complete record yet."""

    @property
    def is_skipping(self) -> bool:
        """Within a line that is dropped: its rest is not a line to begin with."""

    def feed(self, piece: bytes, *, is_last: bool = False) -> Iterator[Record]:
        """The records that the piece completes. The iterator MUST be exhausted before the next one."""


class Lines:
    """Cuts pieces behind their last line end, and drops lines that never seem to end."""

    def __init__(self, next_line: int) -> None:
        self.next_line = next_line
        self.is_skipping = False
        self._pending = b""

    @property
    def pending_bytes(self) -> int:
        """See Records."""
        return len(self._pending)

    def complete(self, piece: bytes, is_last: bool) -> tuple[bytes, Record | None]:
        """The complete lines, and a broken record that comes before them."""
        if self.is_skipping:
            end = piece.find(b"\n") + 1
            if not end and not is_last:
                return b"", None
            self.is_skipping = False
            self.next_line += 1
            piece = piece[end:] if end else b""
        data = self._pending + piece if self._pending else piece
        cut = len(data) if is_last else data.rfind(b"\n") + 1
        self._pending = data[cut:]
        broken = None
        if len(self._pending) > MAX_RECORD_BYTES:
            broken = Record(
                self.next_line + data.count(b"\n", 0, cut),
                self._pending[:MAX_SHOWN_BYTES].decode("utf-8", "surrogateescape"),
                f"the line is longer than {MAX_RECORD_BYTES} bytes; lines end with LF or CRLF",
            )
            self._pending = b""
            self.is_skipping = True
        data = data[:cut]
        if self.next_line == 1:
            data = _without_mark(data)
        return data, broken

    def keep(self, rest: bytes) -> None:
        """Take back complete lines at the end that turned out to be half a record."""
        self._pending = rest + self._pending


class CsvRecords:
    """Comma separated values (RFC 4180). Quoted cells may hold line ends; empty lines are skipped.

    Bytes that are not UTF-8 become lone surrogates in their cell, for the reader of the row to find.
    `width` is how many cells a row has, once that is known: a row of several lines that has not so many
    is a line with a quote too many, and others behind it.
    """

    def __init__(self, next_line: int = 1, width: int | None = None) -> None:
        self._lines = Lines(next_line)
        self.width = width

    @property
    def next_line(self) -> int:
        """See Records."""
        return self._lines.next_line

    @property
    def pending_bytes(self) -> int:
        """See Records."""
        return self._lines.pending_bytes

    @property
    def is_skipping(self) -> bool:
        """See Records."""
        return self._lines.is_skipping

    def feed(self, piece: bytes, *, is_last: bool = False) -> Iterator[Record]:
        """See Records."""
        data, broken = self._lines.complete(piece, is_last)
        first = self._lines.next_line
        # Only LF ends a line here: other line ends of Unicode may stand within a cell.
        lines = list(io.StringIO(data.decode("utf-8", "surrogateescape"), newline="\n"))
        start = 0
        while start < len(lines):
            for begun, after, cells, fault in _rows(lines, start):
                start = after
                if not fault and after - begun > 1:
                    fault = self._too_much(lines[begun:after], cells)
                if fault:
                    rest = lines[begun:]
                    may_go_on = fault == _NOT_CLOSED and not is_last and broken is None
                    if may_go_on and not _is_too_long(rest):
                        # Half a record: its quoted cell goes on in the next piece.
                        self._lines.keep(_bytes(rest))
                        self._lines.next_line = first + begun
                        return
                    yield _broken(first + begun, lines[begun], fault)
                    start = begun + 1
                    break
                if cells:
                    yield Record(first + begun, cells)
        self._lines.next_line = first + len(lines)
        if broken is not None:
            yield broken

    def _too_much(self, lines: list[str], cells: list[str]) -> str:
        """What is wrong with a row of several lines, if anything is."""
        if _is_too_long(lines):
            return (
                f"a quoted cell takes in {len(lines) - 1} more lines; accepted: rows of at most "
                f"{MAX_RECORD_LINES} lines and {MAX_RECORD_BYTES} bytes"
            )
        if self.width not in (None, len(cells)):
            return (
                f"a quoted cell takes in {len(lines) - 1} more lines, which makes {len(cells)} cells; "
                f"accepted: as many as the header has, {self.width}"
            )
        return ""


class NdjsonRecords:
    """One JSON value a line. Empty lines are skipped."""

    def __init__(self, next_line: int = 1) -> None:
        self._lines = Lines(next_line)

    @property
    def next_line(self) -> int:
        """See Records."""
        return self._lines.next_line

    @property
    def pending_bytes(self) -> int:
        """See Records."""
        return self._lines.pending_bytes

    @property
    def is_skipping(self) -> bool:
        """See Records."""
        return self._lines.is_skipping

    def feed(self, piece: bytes, *, is_last: bool = False) -> Iterator[Record]:
        """See Records."""
        data, broken = self._lines.complete(piece, is_last)
        texts = data.split(b"\n")
        if not texts[-1]:
            texts.pop()
        for text in texts:
            line = self._lines.next_line
            self._lines.next_line += 1
            if text.isspace() or not text:
                continue
            try:
                value = orjson.loads(text)
                fault = f"{DEEP}; accepted: {SHALLOW}" if is_deep(value) else ""
                shown = text.decode() if fault else value
                yield Record(line, shown, fault)
            except orjson.JSONDecodeError as exc:
                shown = text.decode("utf-8", "surrogateescape")
                yield Record(line, shown, f"not JSON: {exc.msg}; accepted: one object in UTF-8")
        if broken is not None:
            yield broken


def _without_mark(data: bytes) -> bytes:
    if data.startswith(_UTF_16):
        raise InvalidArgument("the list is written in UTF-16; accepted: UTF-8", field="list")
    return data.removeprefix(_BOM)


def _rows(lines: list[str], start: int) -> Iterator[tuple[int, int, list[str], str]]:
    """Rows from a line on, each with the line it begins on and the one after it; the first that cannot
    be read is the last, with its fault.
    """
    reader = csv.reader(islice(lines, start, None), strict=True)
    begun = start
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            yield begun, start + reader.line_num, [], _fault(exc)
            return
        after = start + reader.line_num
        yield begun, after, cells, ""
        begun = after


def _bytes(lines: list[str]) -> bytes:
    return "".join(lines).encode("utf-8", "surrogateescape")


def _is_too_long(lines: list[str]) -> bool:
    return len(lines) > MAX_RECORD_LINES or len(_bytes(lines)) > MAX_RECORD_BYTES


def _fault(exc: csv.Error) -> str:
    if str(exc) == _UNCLOSED:
        return _NOT_CLOSED
    if "field limit" in str(exc):
        return "a cell is too long; perhaps a quoted cell is not closed"
    if "new-line character" in str(exc):
        return "a CR stands within the line; accepted: lines that end with LF or CRLF"
    return f"not CSV: {exc}"


def _broken(line: int, text: str, fault: str) -> Record:
    """The record of a line that cannot be read, from the cell on that is at fault."""
    text = text.rstrip("\r\n")
    cell, rest = _at_fault(text)
    return Record(line, rest, fault, cell)


def _at_fault(line: str) -> tuple[int, str]:
    """The first cell whose quotes, or a CR, are out of place, and the line from there on."""
    cell = at = 0
    while at < len(line):
        end = _end_of_cell(line, at)
        if end < 0:
            break
        if end == len(line):
            # Nothing is wrong with the line by itself.
            return cell, line[at:]
        cell, at = cell + 1, end + 1
    return cell, line[at:]


def _end_of_cell(line: str, at: int) -> int:
    """Where the cell ends that begins there; -1 when it cannot be read."""
    if line[at] != '"':
        end = line.find(",", at)
        end = len(line) if end < 0 else end
        return -1 if "\r" in line[at:end] else end
    closing = at + 1
    while (closing := line.find('"', closing)) >= 0:
        if line[closing + 1 : closing + 2] != '"':
            is_end = line[closing + 1 : closing + 2] in ("", ",")
            return closing + 1 if is_end else -1
        closing += 2
    return -1
