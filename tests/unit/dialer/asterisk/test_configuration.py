"""The file of PBXs and trunks: everything wrong is said at once, and never a password."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from services.dialer.drivers.asterisk.configuration import (
    ConfigurationError,
    TrunkSettings,
    load,
    parse,
)
from services.dialer.telephony import Address

TRUNK: dict[str, Any] = {
    "name": "main",
    "address_types": ["tel"],
    "dial": "PJSIP/{target}@trunk",
}
PBX: dict[str, Any] = {
    "name": "one",
    "ari_url": "http://127.0.0.1:8088/ari",
    "user": "outbound",
    "password": "hush-hush",
    "trunks": [TRUNK],
}


def errors(pbx: dict[str, Any] | None = None, **members: Any) -> list[str]:
    raw = {"pbxs": [{**PBX, **members}] if pbx is None else [pbx]}
    with pytest.raises(ConfigurationError) as caught:
        parse(raw, "pbxs.json")
    return str(caught.value).splitlines()


def trunk(**members: Any) -> TrunkSettings:
    return parse({"pbxs": [{**PBX, "trunks": [{**TRUNK, **members}]}]}, "x").pbxs[0].trunks[0]


def test_every_error_is_named_at_once() -> None:
    found = errors(
        ari_url="ftp://x",
        trunks=[{**TRUNK, "calls_per_second": 0, "colour": "blue"}],
        user="",
    )
    assert len(found) == 4
    assert any(line.startswith("pbxs.json: pbxs[0].ari_url: ") for line in found)
    assert any("pbxs[0].trunks[0].calls_per_second" in line for line in found)
    assert any("pbxs[0].trunks[0].colour" in line for line in found)
    assert "hush-hush" not in "".join(found)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"password": ""}, "exactly one"),
        ({"password_file": "/nonexistent/secret", "password": ""}, "No such file"),
        ({"trunks": [TRUNK, TRUNK]}, "given twice"),
        ({"trunks": [{**TRUNK, "address_types": ["fax"]}]}, "accepted: tel, extension, sip"),
        ({"trunks": [{**TRUNK, "dial": "PJSIP/1234@trunk"}]}, "{target}"),
        ({"trunks": [{**TRUNK, "headers": {"X-A: b\r\nX": "c"}}]}, "name"),
        ({"trunks": [{**TRUNK, "headers": {"X-A": "b\r\nX-B: c"}}]}, "control character"),
    ],
)
def test_what_is_accepted_is_said(members: dict[str, Any], expected: str) -> None:
    assert expected in "\n".join(errors(**members))


def test_a_file_that_is_not_there_or_no_json_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load(tmp_path / "none.json")
    (tmp_path / "half.json").write_text("{")
    with pytest.raises(ConfigurationError, match="not JSON"):
        load(tmp_path / "half.json")


def test_a_password_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    pbx = {**PBX, "password_file": str(tmp_path / "secret")}
    del pbx["password"]
    path = tmp_path / "pbxs.json"
    path.write_bytes(orjson.dumps({"pbxs": [pbx]}))
    assert load(path).pbxs[0].secret() == "from a file"


@pytest.mark.parametrize(
    ("kind", "target", "dial", "expected"),
    [
        ("tel", "+15551234567", "PJSIP/{target}@trunk", "PJSIP/+15551234567@trunk"),
        ("extension", "1001", "PJSIP/{target}", "PJSIP/1001"),
        (
            "sip",
            "sip:ann@example.com:5070",
            "PJSIP/uri/{uri}",
            "PJSIP/uri/sip:ann@example.com:5070",
        ),
        ("sip", "ann@example.com", "PJSIP/uri/{uri}", "PJSIP/uri/sip:ann@example.com"),
        ("sip", "sips:ann@example.com", "PJSIP/uri/{uri}", "PJSIP/uri/sips:ann@example.com"),
    ],
)
def test_dial_strings(kind: str, target: str, dial: str, expected: str) -> None:
    assert trunk(address_types=[kind], dial=dial).dial_string(Address(kind, target)) == expected


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("tel", "+1555&PJSIP/0900@trunk"),
        ("tel", "+1555/evil"),
        ("tel", ""),
        ("extension", "1000@other"),
        ("extension", "1000/n"),
        ("sip", "sip:ann@example.com,b"),
        ("sip", "ann@exa mple.com"),
        ("sip", "<ann@example.com>"),
        ("email", "ann@example.com"),
    ],
)
def test_an_address_cannot_say_more_than_whom_to_call(kind: str, target: str) -> None:
    assert trunk().dial_string(Address(kind, target)) is None


def test_shared_folders_have_another_name_at_the_pbx() -> None:
    mapped = {**PBX, "folders": [{"here": "/data/cache", "there": "/mnt/cache/"}]}
    pbx = parse({"pbxs": [mapped]}, "x").pbxs[0]
    assert pbx.path_there(Path("/data/cache/a/b")) == "/mnt/cache/a/b"
    assert pbx.path_there(Path("/data/cached/a")) == "/data/cached/a"
