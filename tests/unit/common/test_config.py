from pathlib import Path

import pytest
from pydantic import SecretStr, field_validator

from services.common import config
from services.common.clock import ScaledClock, SystemClock
from services.common.config import ServiceSettings

REQUIRED = {
    "OUTBOUND_DATABASE_URL": "postgresql://me:secret@db/outbound",
    "OUTBOUND_KEY_FILE": "/keys/campaign.pem",
    "OUTBOUND_TRUSTED_KEYS_FILE": "/keys/trusted.json",
}


class Settings(ServiceSettings):
    """A service's own."""

    sweep_seconds: float = 1.0
    token: SecretStr = SecretStr("")

    @field_validator("token")
    @classmethod
    def _long(cls, value: SecretStr) -> SecretStr:
        if value and len(value) < 8:
            raise ValueError("accepted: 8 characters")
        return value


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_defaults_fill_what_is_not_set(environment: pytest.MonkeyPatch) -> None:
    settings = config.load(Settings)
    assert settings.database_url == REQUIRED["OUTBOUND_DATABASE_URL"]
    assert (settings.grpc_listen, settings.sweep_seconds) == ("127.0.0.1:0", 1.0)
    assert isinstance(settings.clock(), SystemClock)


def test_every_wrong_variable_gets_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OUTBOUND_CLOCK_SCALE", "fast")
    monkeypatch.setenv("OUTBOUND_LOG_LEVEL", "loud")
    with pytest.raises(SystemExit) as caught:
        config.load(Settings)
    assert caught.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert "OUTBOUND_DATABASE_URL: required and not set" in lines
    assert any(line.startswith("OUTBOUND_CLOCK_SCALE: ") and "'fast'" in line for line in lines)
    assert any("debug, info, warning, error" in line for line in lines)


def test_a_value_may_come_from_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://from/file\n")
    environment.delenv("OUTBOUND_DATABASE_URL")
    environment.setenv("OUTBOUND_DATABASE_URL_FILE", str(tmp_path / "url"))
    assert config.load(Settings).database_url == "postgresql://from/file"


def test_an_unreadable_file_is_named(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("OUTBOUND_NATS_URL_FILE", "/nowhere/at/all")
    with pytest.raises(SystemExit):
        config.load(Settings)
    assert "OUTBOUND_NATS_URL_FILE: cannot read /nowhere/at/all" in capsys.readouterr().err


def test_a_scale_needs_the_epochs(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("OUTBOUND_CLOCK_SCALE", "60")
    with pytest.raises(SystemExit):
        config.load(Settings)
    assert "OUTBOUND_CLOCK_REAL_EPOCH" in capsys.readouterr().err
    environment.setenv("OUTBOUND_CLOCK_REAL_EPOCH", "2026-01-01T00:00:00Z")
    environment.setenv("OUTBOUND_CLOCK_VIRTUAL_EPOCH", "2026-06-01T00:00:00Z")
    clock = config.load(Settings).clock()
    assert isinstance(clock, ScaledClock)
    assert clock.scale == 60


def test_an_epoch_without_a_zone_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OUTBOUND_CLOCK_REAL_EPOCH", "2026-01-01T00:00:00")
    environment.setenv("OUTBOUND_CLOCK_VIRTUAL_EPOCH", "2026-01-01T00:00:00Z")
    with pytest.raises(SystemExit):
        config.load(Settings)


def test_passwords_are_masked(environment: pytest.MonkeyPatch) -> None:
    shown = config.masked(config.load(Settings))
    assert "secret" not in str(shown)
    assert shown["database_url"] == "postgresql://me:•••@db/outbound"


def test_a_wrong_secret_is_not_printed(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("OUTBOUND_TOKEN", "hunter2")
    with pytest.raises(SystemExit):
        config.load(Settings)
    assert capsys.readouterr().err == "OUTBOUND_TOKEN: accepted: 8 characters (it is '•••')\n"


def test_a_secret_setting_is_masked(environment: pytest.MonkeyPatch) -> None:
    assert config.masked(config.load(Settings))["token"] == ""
    environment.setenv("OUTBOUND_TOKEN", "correct horse")
    assert config.masked(config.load(Settings))["token"] == "•••"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://a:hunter2@h1,nats://b:hunter2@h2", "nats://a:•••@h1,nats://b:•••@h2"),
        ("nats://hunter2@h1:4222", "nats://•••@h1:4222"),
        ("nats://h1:4222,nats://h2:4222", "nats://h1:4222,nats://h2:4222"),
    ],
)
def test_every_server_of_a_list_is_masked(
    environment: pytest.MonkeyPatch, url: str, shown: str
) -> None:
    environment.setenv("OUTBOUND_NATS_URL", url)
    assert config.masked(config.load(Settings))["nats_url"] == shown


def test_a_password_in_the_query_of_a_url_is_masked(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OUTBOUND_DATABASE_URL", "postgresql:///o?user=me&password=hunter2&x=1")
    shown = config.masked(config.load(Settings))["database_url"]
    assert shown == "postgresql:///o?user=me&password=•••&x=1"


def test_a_service_may_have_a_database_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTBOUND_DATABASE_URL", "postgresql://all")
    monkeypatch.setenv("OUTBOUND_QUEUE_DATABASE_URL", "postgresql://queue")
    assert config.database_url_for("queue") == "postgresql://queue"
    assert config.database_url_for("dialer") == "postgresql://all"


def test_no_database_at_all_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        config.database_url_for("queue")
    assert caught.value.code == 2
    assert "OUTBOUND_QUEUE_DATABASE_URL" in capsys.readouterr().err
