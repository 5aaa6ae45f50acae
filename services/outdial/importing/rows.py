"""Records of a list to rows of targets, by the columns' meaning, with every value checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from services.common.address import Address, normalise
from services.common.errors import InvalidArgument, invalid
from services.common.limits import SLOTS
from services.common.nesting import DEEP, MAX_DEPTH, SHALLOW, is_deep_text
from services.common.stored import address_json
from services.common.texts import MAX_NAME, MAX_TEXT, NO_NUL, check_text
from services.outdial.domain_imports import DESTINATIONS, ImportOptions, Reject, Row, reject
from services.outdial.importing.records import Record

_NAMES = {
    **{field: field for field in ("name", "detail", "data", *DESTINATIONS)},
    "phone": "destination_0",
    "number": "destination_0",
    "email": "destination_0",
}
# When several columns could be the first address, this one is; the others are data.
_FIRST = ("destination_0", "phone", "number", "email")
_ACCEPTED_FIELDS = f"name, detail, data, data.<key>, {', '.join(DESTINATIONS)}"
_is_stored_form = re.compile(r"\+[0-9]{7,15}", re.ASCII).fullmatch
"""Whether a number stands there as it is stored: most do, and need nothing else done."""
_TEL = '{"type":"tel","target":"%s"}'
_ABSENT: list[str | None] = [None] * SLOTS
_SHORT = MAX_NAME
"""No text of so many characters is too long for anything."""
_KEY = "data."
_NO_ADDRESS = "no address; accepted: at least one destination with a target"
_NOT_UTF8 = "bytes that are not UTF-8"
_NUL = f"a NUL character; accepted: {NO_NUL}"


class _RefusedError(Exception):
    """The row is not taken: the column at fault, its value, and why."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.value = value
        self.reason = reason


class Layout:
    """Which column means what. Made of the mapping, or of the columns' own names."""

    def __init__(self, fields: Mapping[str, str], columns: Sequence[str]) -> None:
        """`fields` leads from column to field; columns without one are data, if `keeps_rest`."""
        self.fields = dict(fields)
        self.keeps_rest = False
        self._columns = columns

    @classmethod
    def of(cls, mapping: Mapping[str, str], columns: Sequence[str]) -> Layout:
        """The layout for these columns; InvalidArgument when the mapping does not fit them."""
        if mapping:
            missing = sorted(set(mapping) - set(columns))
            if missing:
                given = ", ".join(columns)
                raise invalid("mapping", ", ".join(missing), f"columns of the list: {given}")
            return cls(mapping, columns)
        return cls.by_names(columns)

    @classmethod
    def by_names(cls, columns: Sequence[str]) -> Layout:
        """Columns named like fields mean them, whatever their case; the rest is data."""
        fields: dict[str, str] = {}
        by_name = {column.strip().lower(): column for column in reversed(columns)}
        first = next((by_name[name] for name in _FIRST if name in by_name), None)
        for name, column in by_name.items():
            field = _NAMES.get(name)
            if field == "destination_0" and column != first:
                continue
            if field is not None:
                fields[column] = field
            elif name.startswith(_KEY) and len(name) > len(_KEY):
                fields[column] = _KEY + column.strip()[len(_KEY) :]
        layout = cls(fields, columns)
        layout.keeps_rest = "data" not in fields.values()
        return layout

    def columns_of_slots(self) -> list[str]:
        """For each slot the column its address comes from; empty when none."""
        names = [""] * SLOTS
        for column, field in self.fields.items():
            if field in DESTINATIONS:
                names[DESTINATIONS.index(field)] = column
        return names


def check_mapping(mapping: Mapping[str, str]) -> None:
    """InvalidArgument for fields that do not exist, are meant twice, or contradict each other."""
    seen: set[str] = set()
    for column, field in mapping.items():
        check_text("mapping", column, MAX_NAME)
        check_text("mapping", field, MAX_NAME)
        is_key = field.startswith(_KEY) and len(field) > len(_KEY)
        if not is_key and field not in ("name", "detail", "data", *DESTINATIONS):
            raise invalid(f"mapping[{column}]", field, _ACCEPTED_FIELDS)
        if field in seen:
            raise invalid(f"mapping[{column}]", field, "each field once")
        seen.add(field)
    if not mapping:
        return
    if seen.isdisjoint(DESTINATIONS):
        raise invalid("mapping", dict(mapping), "at least one column for a destination")
    if "data" in seen and any(field.startswith(_KEY) for field in seen):
        raise invalid("mapping", dict(mapping), "either data or data.<key>, not both")


class CsvRows:
    """Rows of a CSV list whose header has been read."""

    def __init__(self, options: ImportOptions, columns: Sequence[str]) -> None:
        """InvalidArgument for a header that cannot be meant: no address, or a name twice."""
        named = [column for column in columns if column.strip()]
        twice = sorted({column for column in named if named.count(column) > 1})
        if twice:
            raise invalid("list", ", ".join(twice), "a header that names every column once")
        self._layout = Layout.of(options.mapping, named)
        if set(self._layout.fields.values()).isdisjoint(DESTINATIONS):
            accepted = (
                "a header with a column phone, number, email or destination_0..4, or a mapping"
            )
            raise invalid("list", ", ".join(columns), accepted)
        self._columns = columns
        self._options = options
        self._is_lenient = not options.is_strict
        self.slot_columns = self._layout.columns_of_slots()
        places = {column: index for index, column in enumerate(columns)}
        fields = {field: places[column] for column, field in self._layout.fields.items()}
        self._slots = [
            (slot, fields[field]) for slot, field in enumerate(DESTINATIONS) if field in fields
        ]
        self._texts = [fields.get(field) for field in ("name", "detail", "data")]
        self._extras = self._extra_columns(places)

    def _extra_columns(self, places: Mapping[str, int]) -> list[tuple[str, int]]:
        extras = [
            (field[len(_KEY) :], places[column])
            for column, field in self._layout.fields.items()
            if field.startswith(_KEY)
        ]
        if self._layout.keeps_rest:
            rest = (column for column in places if column.strip())
            extras += [(c.strip(), places[c]) for c in rest if c not in self._layout.fields]
        return extras

    def read(self, record: Record) -> Row | Reject:
        """The row, or why it is not taken."""
        try:
            if record.fault:
                raise _RefusedError(self._column(record.cell), record.content, record.fault)
            return self._row(record.line, record.content)
        except _RefusedError as exc:
            return reject(record.line, exc.field, exc.value, exc.reason)

    def _row(self, line: int, cells: list[str]) -> Row:
        if len(cells) != len(self._columns):
            wanted = (
                f"{len(cells)} cells; accepted: as many as the header has, {len(self._columns)}"
            )
            # The first that is missing, or the last one, behind which there are more.
            raise _RefusedError(self._column(len(cells)), ",".join(cells), wanted)
        if not (joined := "".join(cells)).isascii() or "\x00" in joined:
            self._check_characters(cells)
        destinations = _ABSENT.copy()
        address, first = "", -1
        for slot, place in self._slots:
            cell = cells[place]
            if not cell:
                continue
            if self._is_lenient and _is_stored_form(cell):
                key, destinations[slot] = f"tel:{cell}", _TEL % cell
            else:
                found = _checked(Address(target=cell), self._columns[place], cell, self._options)
                if found is None:
                    continue
                key, destinations[slot] = _address_texts(found)
            if first < 0:
                address, first = key, slot
        if first < 0:
            raise _RefusedError(self._first_column(), "", _NO_ADDRESS)
        name, detail, data = ["" if place is None else cells[place] for place in self._texts]
        if self._extras:
            extras = {key: cells[place] for key, place in self._extras if cells[place]}
            data = orjson.dumps(extras).decode() if extras else ""
        if len(name) > _SHORT or len(detail) > _SHORT or len(data) > _SHORT:
            self._check_lengths(name, detail, data)
        if len(data) > MAX_DEPTH and is_deep_text(data):
            raise self._deep(data)
        return Row(line, address, first, destinations, name, detail, data)

    def _column(self, cell: int | None) -> str:
        if cell is None:
            return ""
        return self._columns[min(cell, len(self._columns) - 1)]

    def _deep(self, data: str) -> _RefusedError:
        place = self._texts[-1]
        column = "data" if place is None else self._columns[place]
        return _RefusedError(column, data, f"{DEEP}; accepted: {SHALLOW}")

    def _first_column(self) -> str:
        return next(column for column in self.slot_columns if column)

    def _check_characters(self, cells: list[str]) -> None:
        for column, cell in zip(self._columns, cells, strict=True):
            _check_text(column, cell)

    def _check_lengths(self, name: str, detail: str, data: str) -> None:
        for place, text, is_name in zip(
            self._texts, (name, detail, data), (True, False, False), strict=True
        ):
            _check_length("data" if place is None else self._columns[place], text, is_name)


class NdjsonRows:
    """Rows of a list of JSON objects, each of which may have other members."""

    def __init__(self, options: ImportOptions) -> None:
        self._options = options
        self._is_lenient = not options.is_strict
        self._known: dict[tuple[str, ...], Layout] = {}
        mapped = Layout(options.mapping, ())
        self.slot_columns = mapped.columns_of_slots() if options.mapping else list(DESTINATIONS)

    def read(self, record: Record) -> Row | Reject:
        """The row, or why it is not taken."""
        try:
            if record.fault:
                raise _RefusedError("", record.content, record.fault)
            if not isinstance(record.content, dict):
                shown = orjson.dumps(record.content).decode()
                raise _RefusedError("", shown, "not a JSON object; accepted: one object a line")
            return self._row(record.line, record.content)
        except _RefusedError as exc:
            return reject(record.line, exc.field, exc.value, exc.reason)

    def _row(self, line: int, members: dict[str, Any]) -> Row:
        layout = self._layout(tuple(members))
        destinations = _ABSENT.copy()
        texts = {"name": "", "detail": "", "data": ""}
        extras: dict[str, Any] = {}
        keys: dict[int, str] = {}
        for member, value in members.items():
            field = layout.fields.get(member)
            if field in DESTINATIONS:
                slot = DESTINATIONS.index(field)
                if self._is_lenient and isinstance(value, str) and _is_stored_form(value):
                    keys[slot], destinations[slot] = f"tel:{value}", _TEL % value
                elif (found := self._address(member, value)) is not None:
                    keys[slot], destinations[slot] = _address_texts(found)
            elif field in texts:
                texts[field] = self._text(member, value, field)
            elif field is not None:
                extras[field[len(_KEY) :]] = value
            elif layout.keeps_rest and value not in (None, ""):
                extras[member] = value
        if not keys:
            raise _RefusedError(next(filter(None, self.slot_columns)), "", _NO_ADDRESS)
        if extras:
            texts["data"] = self._text("data", extras, "data")
        first = min(keys)
        return Row(
            line,
            keys[first],
            first,
            destinations,
            texts["name"],
            texts["detail"],
            texts["data"],
        )

    def _layout(self, members: tuple[str, ...]) -> Layout:
        found = self._known.get(members)
        if found is None:
            if self._options.mapping:
                found = Layout(self._options.mapping, members)
            else:
                found = Layout.by_names(members)
            if len(self._known) < 1000:
                self._known[members] = found
        return found

    def _address(self, member: str, value: Any) -> Address | None:
        if isinstance(value, str):
            address = Address(target=value)
        elif isinstance(value, dict):
            address = _address_of(member, value)
        elif value is None:
            return None
        elif isinstance(value, int) and not isinstance(value, bool):
            address = Address(target=str(value))
        else:
            raise _RefusedError(member, _shown(value), "accepted: a text or an address object")
        for text in (address.type, address.target, address.target_name, address.name):
            _check_text(member, text)
        _check_text(member, address.detail)
        return _checked(address, member, _shown(value), self._options)

    def _text(self, member: str, value: Any, field: str) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            text = value
        elif field == "data" or isinstance(value, int | float):
            text = orjson.dumps(value).decode()
        else:
            raise _RefusedError(member, _shown(value), "accepted: a text")
        _check_text(member, text)
        _check_length(member, text, field == "name")
        if field == "data" and is_deep_text(text):
            raise _RefusedError(member, text, f"{DEEP}; accepted: {SHALLOW}")
        return text


def _address_of(member: str, value: dict[str, Any]) -> Address:
    known = {}
    for name in ("type", "target", "target_name", "name", "detail"):
        part = value.get(name)
        if part is not None and not isinstance(part, str):
            raise _RefusedError(f"{member}.{name}", _shown(part), "accepted: a text")
        known[name] = part or ""
    return Address(**known)


def _checked(address: Address, column: str, value: str, options: ImportOptions) -> Address | None:
    try:
        return normalise(address, options.default_region, options.is_strict, column)
    except InvalidArgument as exc:
        reason = "; ".join(each.description for each in exc.violations) or exc.message
        raise _RefusedError(column, value, f"not an address; {reason}") from None


def _address_texts(address: Address) -> tuple[str, str]:
    """The key by which duplicates are found, and the JSON that is stored."""
    return f"{address.type}:{address.target}", address_json(address)


def _check_text(column: str, text: str) -> None:
    if text.isascii():
        if "\x00" in text:
            raise _RefusedError(column, text, _NUL)
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _RefusedError(column, text, _NOT_UTF8) from None
    if "\x00" in text:
        raise _RefusedError(column, text, _NUL)


def _check_length(column: str, text: str, is_name: bool) -> None:
    most = MAX_NAME if is_name else MAX_TEXT
    if len(text) > most:
        raise _RefusedError(column, text, f"{len(text)} characters; accepted: at most {most}")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
