"""Addresses in normal form: what is accepted, and what is refused rather than dialed wrongly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.address import Address, is_region, normalise, number
from services.common.errors import InvalidArgument


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("+15551234567", "", "+15551234567"),
        (" +1 (555) 123-4567 ", "", "+15551234567"),
        ("+44.20.7946.0958", "", "+442079460958"),
        ("+44 (0)20 7946 0958", "", "+442079460958"),
        ("tel:+15551234567", "", "+15551234567"),
        ("+1234567", "", "+1234567"),
        ("555-123-4567", "US", "+15551234567"),
        ("0171 2345678", "DE", "+491712345678"),
        ("0049 171 2345678", "DE", "+491712345678"),
        ("+15551234567", "DE", "+15551234567"),
        # Seven digits could be dialed within an area only.
        ("123-4567", "US", None),
        ("15551234567", "", None),
        ("+123456", "", None),
        ("+1234567890123456", "", None),
        ("+1 555 123 4567 ext 9", "", None),
        ("+1555123456x7", "", None),
        ("١٢٣٤٥٦٧٨", "", None),
        ("", "US", None),
        ("hello", "US", None),
    ],
)
def test_number(text: str, region: str, expected: str | None) -> None:
    assert number(text, region) == expected


def test_strict_numbers_are_valid_by_their_numbering_plan() -> None:
    assert number("+1 650-253-0000", strict=True) == "+16502530000"
    assert number("+15551234567", strict=True) is None
    with pytest.raises(InvalidArgument, match="numbering plan"):
        normalise(Address("tel", "+15551234567"), strict=True)


@given(st.text(max_size=30), st.sampled_from(["", "US", "DE", "GB"]), st.booleans())
def test_number_is_none_or_e164_and_stays_as_it_is(text: str, region: str, strict: bool) -> None:
    found = number(text, region, strict)
    if found is not None:
        assert found.startswith("+")
        assert found[1:].isascii()
        assert found[1:].isdigit()
        assert 7 <= len(found) - 1 <= 15
        assert number(found, "", strict) == found


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("+15551234567", ("tel", "+15551234567")),
        ("sip:Al@Example.COM;Transport=TCP", ("sip", "sip:Al@example.com;Transport=TCP")),
        ("Ann@Example.com", ("email", "ann@example.com")),
        (
            "018F0000-0000-7000-8000-00000000000a",
            ("", "018F0000-0000-7000-8000-00000000000a"),
        ),
    ],
)
def test_missing_type_is_inferred(target: str, expected: tuple[str, str]) -> None:
    found = normalise(Address(target=target))
    assert found is not None
    assert (found.type, found.target) == expected


@pytest.mark.parametrize("blank", [Address(), Address(target="  "), Address("tel", name="Ann")])
def test_empty_target_is_an_absent_address(blank: Address) -> None:
    assert normalise(blank) is None


def test_other_members_are_kept() -> None:
    address = Address("tel", "+1 555 123 4567", "Ann", "home", "after six")
    assert normalise(address) == Address("tel", "+15551234567", "Ann", "home", "after six")


def test_types_other_than_the_documented_and_their_case() -> None:
    assert normalise(Address("TEL", "+15551234567")) == Address("tel", "+15551234567")
    assert normalise(Address("extension", "2001")) == Address("extension", "2001")
    with pytest.raises(InvalidArgument, match=r"x\.type is 'pigeon'; accepted: agent"):
        normalise(Address("pigeon", "7"), field="x")


@pytest.mark.parametrize(
    ("address", "field"),
    [
        (Address("tel", "12345"), "source.target"),
        (Address(target="somebody"), "source.target"),
        (Address("email", "nobody"), "source.target"),
        (Address("tel", "+15551234567", name="x" * 256), "source.name"),
        (Address("tel", "+15551234567", detail="a\x00b"), "source.detail"),
        (Address("sip", "a" * 256), "source.target"),
    ],
)
def test_refusals_name_the_field(address: Address, field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        normalise(address, field="source")
    assert [each.field for each in caught.value.violations] == [field]


def test_regions() -> None:
    assert is_region("US")
    assert not is_region("us")
    assert not is_region("XX")
