"""Bytes of a list to its records, as they come in and wherever they are cut.

Each record knows the line it begins on. What cannot be read is one broken record, never the end of
the list: reading goes on with the next line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from services.common.errors import InvalidArgument
from services.common.nesting import DEEP, SHALLOW, is_deep

MAX_RECORD_BYTES = 1024 * 1024
"""A line longer than this is a broken record; what is read ahead stays below it."""
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UNCLOSED = "unexpected end of data"


@dataclass(slots=True)
class Record:
    """A record of the list: cells of a CSV row, or the value of a JSON line; or what is wrong."""

    line: int
    content: Any
    fault: str = ""


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
                "",
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
    """

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
        lines = self._lines
        data, broken = lines.complete(piece, is_last)
        first = lines.next_line
        # Only LF ends a line here: other line ends of Unicode may stand within a cell.
        text = io.StringIO(data.decode("utf-8", "surrogateescape"), newline="\n")
        reader = csv.reader(text, strict=True)
        while True:
            begun = reader.line_num
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as exc:
                if str(exc) == _UNCLOSED and not is_last and broken is None:
                    # Half a record: its quoted cell goes on in the next piece.
                    lines.keep(data.split(b"\n", begun)[-1])
                    lines.next_line = first + begun
                    return
                yield Record(first + begun, "", _fault(exc, first + begun, first + reader.line_num))
                continue
            if cells:
                yield Record(first + begun, cells)
        lines.next_line = first + reader.line_num
        if broken is not None:
            yield broken


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


def _fault(exc: csv.Error, first: int, after: int) -> str:
    last = after - 1
    where = f"lines {first} to {last}: " if last > first else ""
    if str(exc) == _UNCLOSED:
        return f"{where}a quoted cell is not closed before the end of the list"
    if "field limit" in str(exc):
        return f"{where}a cell is too long; perhaps a quoted cell is not closed"
    if "new-line character" in str(exc):
        return f"{where}a CR stands within the line; accepted: lines that end with LF or CRLF"
    return f"{where}not CSV: {exc}"
