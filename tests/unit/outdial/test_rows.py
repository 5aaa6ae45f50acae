"""Records to rows: what columns mean, and why a row is not taken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.common.errors import InvalidArgument
from services.outdial.domain_imports import Format, ImportOptions, Reject, Row
from services.outdial.importing.records import CsvRecords, NdjsonRecords, Record
from services.outdial.importing.rows import CsvRows, NdjsonRows, check_mapping

ANN = "+15550000001"


def options(mapping: dict[str, str] | None = None, **members: Any) -> ImportOptions:
    return ImportOptions(Format.CSV, mapping or {}, **members)


def csv_row(
    columns: list[str], cells: list[str], mapping: dict[str, str] | None = None, **members: Any
) -> Row | Reject:
    return CsvRows(options(mapping, **members), columns).read(Record(7, cells))


def json_row(content: Any, mapping: dict[str, str] | None = None, **members: Any) -> Row | Reject:
    return NdjsonRows(options(mapping, **members)).read(Record(7, content))


def row(found: Row | Reject) -> Row:
    assert isinstance(found, Row), found
    return found


def reject(found: Row | Reject) -> Reject:
    assert isinstance(found, Reject), found
    return found


def test_columns_are_known_by_their_names_in_any_case() -> None:
    found = row(csv_row([" Phone", "NAME", "detail"], [ANN, "Ann", "vip"]))
    assert (found.line, found.address, found.slot) == (7, f"tel:{ANN}", 0)
    assert (found.name, found.detail, found.data) == ("Ann", "vip", "")
    assert json.loads(found.destinations[0] or "") == {"type": "tel", "target": ANN}


def test_other_columns_become_data() -> None:
    found = row(csv_row(["phone", "city", "data.Plan", ""], [ANN, "Rome", "gold", "dropped"]))
    assert json.loads(found.data) == {"city": "Rome", "Plan": "gold"}
    # Not beside a column of that name, which is taken as it is.
    assert row(csv_row(["phone", "data", "city"], [ANN, "text", "Rome"])).data == "text"


def test_first_of_several_address_columns_is_dialed_and_the_others_are_data() -> None:
    found = row(csv_row(["email", "phone"], ["a@example.com", ANN]))
    assert found.address == f"tel:{ANN}"
    assert json.loads(found.data) == {"email": "a@example.com"}


def test_slots_are_kept_and_the_first_address_decides_on_duplicates() -> None:
    columns = ["destination_1", "destination_3", "destination_0"]
    found = row(csv_row(columns, ["a@Example.com", "sip:al@example.com", " "]))
    assert [each is not None for each in found.destinations] == [False, True, False, True, False]
    assert (found.address, found.slot) == ("email:a@example.com", 1)


def test_mapping_leads_from_columns_to_fields() -> None:
    mapping = {"Tel": "destination_2", "Ort": "data.city", "Wer": "name"}
    found = row(csv_row(["Wer", "Tel", "Ort", "phone"], ["Ann", ANN, "Rom", "ignored"], mapping))
    assert (found.slot, found.name, json.loads(found.data)) == (2, "Ann", {"city": "Rom"})


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"a": "phone"}, "accepted: name, detail"),
        ({"a": "destination_5"}, "destination_5"),
        ({"a": "data."}, "data"),
        ({"a": "destination_0", "b": "destination_0"}, "each field once"),
        ({"a\x00": "destination_0"}, "NUL"),
        ({"a": "data.\x00"}, "NUL"),
        ({"a": "name"}, "at least one column for a destination"),
        ({"a": "destination_0", "b": "data", "c": "data.x"}, "not both"),
    ],
)
def test_contradictory_mappings_are_refused(mapping: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        check_mapping(mapping)


@pytest.mark.parametrize(
    ("columns", "mapping", "message"),
    [
        (["name", "city"], {}, "column phone, number, email"),
        (["phone", "x", "x"], {}, "every column once"),
        (["phone"], {"tel": "destination_0"}, "columns of the list: phone"),
        ([], {}, "column phone"),
    ],
)
def test_headers_that_cannot_be_meant_are_refused(
    columns: list[str], mapping: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        CsvRows(options(mapping), columns)


def test_numbers_are_normalised_with_the_default_region() -> None:
    assert row(csv_row(["phone"], ["(650) 253-0000"], default_region="US")).address == (
        "tel:+16502530000"
    )
    found = reject(csv_row(["phone"], ["(650) 253-0000"]))
    assert (found.line, found.field, found.value) == (7, "phone", "(650) 253-0000")
    assert "E.164" in found.reason


def test_strict_lists_take_valid_numbers_only() -> None:
    assert "numbering plan" in reject(csv_row(["phone"], [ANN], is_strict=True)).reason
    assert "numbering plan" in reject(json_row({"phone": ANN}, is_strict=True)).reason
    assert row(json_row({"phone": "+16502530000"}, is_strict=True)).slot == 0


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ([ANN, "a", "b", "c"], "detail", "4 cells"),
        ([ANN], "name", "1 cells"),
        (["", "a", "b"], "phone", "no address"),
        ([ANN, "a\x00b", ""], "name", "NUL"),
        ([ANN, "a\udcffb", ""], "name", "UTF-8"),
        ([ANN, "x" * 256, ""], "name", "256 characters"),
        ([ANN, "", "ü" * 70_000], "detail", "70000 characters"),
        (["bob", "", ""], "phone", "not an address"),
    ],
)
def test_why_a_csv_row_is_not_taken(cells: list[str], field: str, reason: str) -> None:
    found = reject(csv_row(["phone", "name", "detail"], cells))
    assert found.field == field
    assert reason in found.reason
    assert len(found.value) <= 200
    assert "\x00" not in found.value
    found.value.encode()


def test_broken_record_is_a_reject() -> None:
    record = Record(3, "x", "not CSV")
    expected = Reject(3, "", "x", "not CSV")
    assert CsvRows(options(), ["phone"]).read(record) == expected
    assert NdjsonRows(options()).read(record) == expected


def test_json_members_may_be_texts_objects_and_numbers() -> None:
    content = {
        "destination_0": {"type": "tel", "target": " +1 555 000 0001", "target_name": "Ann"},
        "destination_4": "a@example.com",
        "name": 7,
        "data": {"b": [1, None]},
    }
    found = row(json_row(content))
    assert json.loads(found.destinations[0] or "") == {
        "type": "tel",
        "target": ANN,
        "target_name": "Ann",
    }
    assert (found.name, found.data) == ("7", '{"b":[1,null]}')
    assert row(json_row({"phone": ANN, "age": 7, "none": None})).data == '{"age":7}'
    assert row(json_row({"number": 6502530000}, default_region="US")).address == "tel:+16502530000"
    mapped = row(json_row({"t": ANN, "x": {"y": 1}}, {"t": "destination_0", "x": "data.z"}))
    assert mapped.data == '{"z":{"y":1}}'


@pytest.mark.parametrize(
    ("content", "field", "reason"),
    [
        ([1], "", "one object a line"),
        ({"name": "Ann"}, "destination_0", "no address"),
        ({"phone": None}, "destination_0", "no address"),
        ({"phone": True}, "phone", "a text or an address object"),
        ({"phone": {"target": 5}}, "phone.target", "a text"),
        ({"phone": {"target": ANN, "name": "a\x00"}}, "phone", "NUL"),
        ({"phone": ANN, "name": ["x"]}, "name", "a text"),
        ({"phone": ANN, "detail": "a\x00"}, "detail", "NUL"),
        ({"phone": ANN, "extra": "x" * 70_000}, "data", "characters"),
    ],
)
def test_why_a_json_row_is_not_taken(content: Any, field: str, reason: str) -> None:
    found = reject(json_row(content))
    assert found.field == field
    assert reason in found.reason


def test_slot_columns_name_where_addresses_come_from() -> None:
    columns = ["phone", "name", "destination_1"]
    assert CsvRows(options(), columns).slot_columns == ["phone", "destination_1", "", "", ""]
    assert NdjsonRows(options()).slot_columns[0] == "destination_0"


DEEP = '{"a":' + "[" * 300 + "]" * 300 + "}"


def test_data_that_is_nested_too_deep_is_a_rejected_row() -> None:
    found = [
        reject(
            csv_row(["phone", "Notes"], [ANN, DEEP], {"phone": "destination_0", "Notes": "data"})
        ),
        reject(json_row({"phone": ANN, "data": DEEP})),
    ]
    assert [each.field for each in found] == ["Notes", "data"]
    assert all("nested deeper than 32 levels" in each.reason for each in found)
    assert all(each.value.startswith('{"a":[[') for each in found)


@pytest.mark.parametrize("levels", [33, 300, 1000])
def test_a_json_line_that_is_nested_too_deep_is_one_rejected_row(levels: int) -> None:
    deep = f'{{"phone":"{ANN}","x":{"[" * levels}{"]" * levels}}}'
    lines = f'{{"phone":"{ANN}"}}\n{deep}\n{{"phone":"{ANN}"}}\n'
    rows = NdjsonRows(options())
    found = [rows.read(each) for each in NdjsonRecords().feed(lines.encode(), is_last=True)]
    assert [isinstance(each, Row) for each in found] == [True, False, True]
    assert (reject(found[1]).line, reject(found[1]).value[:9]) == (2, '{"phone":')
    assert "32 levels" in reject(found[1]).reason


def test_a_line_that_is_not_csv_is_told_with_its_column_and_value() -> None:
    rows = CsvRows(options(), ["name", "phone"])
    long = '"' + "x" * 5000
    lines = f'"name 1,{ANN}\nok,"{ANN}"5\n1\n1,2,3\n{long}\n'
    found = [
        reject(rows.read(each)) for each in CsvRecords(2, 2).feed(lines.encode(), is_last=True)
    ]
    assert [(each.line, each.field) for each in found] == [
        (2, "name"),
        (3, "phone"),
        (4, "phone"),
        (5, "phone"),
        (6, "name"),
    ]
    assert [each.value for each in found[:4]] == [f'"name 1,{ANN}', f'"{ANN}"5', "1", "1,2,3"]
    assert 0 < len(found[4].value) < 1000
