"""What a dialer on a real network must be told, and what `outbound up` refuses for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from cli.main import app
from services.common.clock import SystemClock
from services.dialer.app import carrier
from services.dialer.config import DialerSettings
from services.dialer.drivers.asterisk.driver import AsteriskTelephony
from tests.unit.dialer.memory import MemorySlots


def settings(**members: Any) -> DialerSettings:
    known: dict[str, Any] = {
        "database_url": "postgresql://x",
        "key_file": "k",
        "trusted_keys_file": "t",
        "campaign_address": "c",
        "outdial_address": "o",
        "queue_address": "q",
        "carrier": "asterisk",
        "asterisk_file": "pbxs.json",
        "speech_cache_dir": "speech",
    }
    return DialerSettings(**{**known, **members})


@pytest.mark.parametrize("name", ["asterisk_file", "speech_cache_dir"])
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(ValidationError, match=f"OUTBOUND_{name.upper()}: required"):
        settings(**{name: ""})


def test_real_people_have_real_time() -> None:
    epoch = "2026-01-01T00:00:00Z"
    with pytest.raises(ValidationError, match="needs 1"):
        settings(clock_scale=2, clock_real_epoch=epoch, clock_virtual_epoch=epoch)


async def test_a_wrong_file_ends_the_process_with_every_error(tmp_path: Path) -> None:
    path = tmp_path / "pbxs.json"
    path.write_text('{"pbxs": [{"name": "x y"}], "colour": 1}')
    with pytest.raises(SystemExit) as caught:
        carrier(settings(asterisk_file=str(path)), SystemClock(), MemorySlots())
    for word in ("OUTBOUND_ASTERISK_FILE", "pbxs[0].name", "pbxs[0].ari_url", "colour"):
        assert word in str(caught.value)


async def test_a_good_file_makes_a_driver_of_its_address_types(tmp_path: Path) -> None:
    path = tmp_path / "pbxs.json"
    path.write_text(
        '{"pbxs": [{"name": "x", "ari_url": "http://h/ari", "user": "u", "password": "p", "trunks": '
        '[{"name": "t", "address_types": ["tel", "sip"], "dial": "PJSIP/{target}@t"}]}]}'
    )
    made = carrier(settings(asterisk_file=str(path)), SystemClock(), MemorySlots())
    assert isinstance(made, AsteriskTelephony)
    assert made.address_types == {"tel", "sip"}
    assert (made.connected, made.room) == (False, 0)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--carrier", "asterisk", "--time-scale", "2"], "needs 1"),
        (["--carrier", "asterisk", "--trunk", "host:5060"], "accepted is sip:HOST:PORT"),
        (["--carrier", "asterisk", "--trunk", "sip:192.0.2.1:5060"], "needs --sip"),
        (["--carrier", "asterisk", "--sip", "nowhere"], "--sip nowhere: accepted is HOST:PORT"),
        (["--trunk", "sip:127.0.0.1:5060"], "with --carrier asterisk"),
        (["--carrier", "pigeon"], "there are: simulated, asterisk"),
    ],
)
def test_up_refuses_what_cannot_be(arguments: list[str], expected: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["up", "--data-dir", str(tmp_path / "d"), *arguments])
    assert done.exit_code == 2
    assert expected in done.output
