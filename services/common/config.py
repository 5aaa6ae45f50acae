"""Settings from the environment: read once, checked at once, every wrong variable named.

Every variable is the field's name in capitals behind `OUTBOUND_`. Any of them may be given as
`<VARIABLE>_FILE` instead, the name of a file that holds the value, so that secrets need not be in
the environment.
"""

from __future__ import annotations

import os
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from services.common.clock import Clock, ScaledClock, SystemClock
from services.common.log import LEVELS

PREFIX = "OUTBOUND_"
_WEEK = 7 * 24 * 3600.0
_HIDDEN = "•••"
# `scheme://user:password@`, NATS' `nats://token@`, libpq's `?password=`.
_URL_SECRET = re.compile(
    r"(://[^/?#:@]*:)[^/?#]+(?=@)|((?:nats|tls)://)[^/?#:@]+(?=@)|([?&]password=)[^&]+"
)


class ServiceSettings(BaseSettings):
    """What every process is told; services add their own fields in a subclass."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    database_url: str
    """PostgreSQL, as `postgresql://user:password@host/database`; each process may have its own."""
    database_pool_size: int = Field(default=4, ge=1, le=200)
    """Connections kept open by the process."""
    database_pool_overflow: int = Field(default=6, ge=0, le=200)
    """Further connections opened under load and closed after it."""

    nats_url: str = "nats://127.0.0.1:4222"
    """NATS server; several are separated by commas."""
    nats_credentials: str = ""
    """Path of a .creds file; empty where NATS asks for none."""
    events_max_age_seconds: float = Field(default=_WEEK, gt=0)
    """How long the event stream keeps events for replay, real seconds."""
    events_replicas: int = Field(default=1, ge=1, le=5)
    """Copies of the event stream in a NATS cluster."""

    grpc_listen: str = "127.0.0.1:0"
    """Address the gRPC server listens on; port 0 takes a free one."""
    metrics_listen: str = "127.0.0.1:0"
    """Address of the Prometheus endpoint; empty switches it off."""
    drain_seconds: float = Field(default=10.0, ge=0, le=3600)
    """How long running requests may take to finish at SIGTERM, real seconds."""
    tls_cert_file: str = ""
    """This process's certificate chain (PEM). The three `tls` files together switch mTLS on."""
    tls_key_file: str = ""
    """The certificate's private key (PEM)."""
    tls_ca_file: str = ""
    """Who may have signed the other side's certificate (PEM)."""

    key_file: str
    """This process's private key (PEM), with which it signs its calls."""
    trusted_keys_file: str
    """JSON of the callers believed: issuer -> {"role": ..., "public_key": ...}."""

    clock_real_epoch: datetime | None = None
    """Real instant at which the domain time was `clock_virtual_epoch`."""
    clock_virtual_epoch: datetime | None = None
    """See clock_real_epoch."""
    clock_scale: float = Field(default=1.0, gt=0, le=100_000)
    """Domain seconds in one real second. All processes need the same three clock values."""

    log_level: str = "info"
    """debug, info, warning or error."""

    @field_validator("database_url")
    @classmethod
    def _postgres_url(cls, value: str) -> str:
        if fault := database_url_fault(value):
            raise ValueError(f"accepted: {fault}")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in LEVELS:
            raise ValueError(f"accepted: {', '.join(LEVELS)}")
        return value.lower()

    @field_validator("clock_real_epoch", "clock_virtual_epoch")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("accepted: a time with its zone, such as 2026-01-31T09:00:00Z")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> ServiceSettings:
        if (self.clock_real_epoch is None) != (self.clock_virtual_epoch is None):
            raise ValueError(
                f"{PREFIX}CLOCK_REAL_EPOCH and {PREFIX}CLOCK_VIRTUAL_EPOCH are given together"
            )
        if self.clock_scale != 1.0 and self.clock_real_epoch is None:
            raise ValueError(
                f"{PREFIX}CLOCK_SCALE other than 1 needs {PREFIX}CLOCK_REAL_EPOCH and "
                f"{PREFIX}CLOCK_VIRTUAL_EPOCH, or the processes would disagree on the time"
            )
        tls = (self.tls_cert_file, self.tls_key_file, self.tls_ca_file)
        if any(tls) and not all(tls):
            raise ValueError(f"{PREFIX}TLS_CERT_FILE, _KEY_FILE and _CA_FILE are given together")
        return self

    def process_name(self, name: str) -> str:
        """How the process calls itself in the log and to NATS; `name` is that of its kind."""
        return name

    def clock(self) -> Clock:
        """The clock these settings describe."""
        if self.clock_real_epoch is None or self.clock_virtual_epoch is None:
            return SystemClock()
        return ScaledClock(self.clock_real_epoch, self.clock_virtual_epoch, self.clock_scale)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then variables, then `<VARIABLE>_FILE`."""
        return init_settings, env_settings, _FileSource(settings_cls)


class _FileSource(PydanticBaseSettingsSource):
    """Values out of the files that `<VARIABLE>_FILE` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The content of the file named for the field, without the newline at its end, or None."""
        # `OUTBOUND_KEY_FILE` is the field key_file itself, which no field `key` may shadow.
        name = f"{PREFIX}{field_name.upper()}_FILE"
        path = os.environ.get(name)
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text().rstrip("\r\n"), field_name, False
        except OSError as exc:
            raise _UnreadableFileError(f"{name}: cannot read {path}: {exc.strerror}") from exc

    def __call__(self) -> dict[str, Any]:
        values = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                values[key] = value
        return values


class _UnreadableFileError(Exception):
    """A `<VARIABLE>_FILE` names a file that cannot be read."""


Settings = TypeVar("Settings", bound=BaseSettings)


def load(cls: type[Settings]) -> Settings:
    """The settings from the environment; prints one line per wrong variable and exits with 2."""
    try:
        return cls()
    except ValidationError as exc:
        _refuse([_line(cls, dict(error)) for error in exc.errors(include_url=False)])
    except _UnreadableFileError as exc:
        _refuse([str(exc)])


def masked(settings: BaseSettings) -> dict[str, str]:
    """The settings as text for the log, secrets and passwords within URLs hidden."""
    return {name: _shown(type(settings), name, value) for name, value in settings}


def database_url_fault(url: str) -> str:
    """What is accepted when this is no address of a PostgreSQL database; empty when it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    # Behind a + stands SQLAlchemy's driver.
    is_postgres = parts.scheme.partition("+")[0] == "postgresql" and "://" in url
    return "" if is_postgres else "a URL such as postgresql://user@host/database"


def database_url_for(service: str) -> str:
    """`OUTBOUND_<SERVICE>_DATABASE_URL`, else `OUTBOUND_DATABASE_URL`; exits with 2 if neither."""
    own, general = f"{PREFIX}{service.upper()}_DATABASE_URL", f"{PREFIX}DATABASE_URL"
    for name in (own, general):
        value = os.environ.get(name)
        if not value and (path := os.environ.get(f"{name}_FILE")):
            value = Path(path).read_text().strip()
        if value:
            if fault := database_url_fault(value):
                _refuse([f"{name}: accepted: {fault}"])
            return value
    _refuse([f"{general}: required (or {own}), a URL such as postgresql://user@host/database"])


def _refuse(lines: list[str]) -> NoReturn:
    for line in lines:
        print(line, file=sys.stderr)
    raise SystemExit(2)


def _line(cls: type[BaseSettings], error: dict[str, Any]) -> str:
    """One validation error: the variable, what is wrong, and the value if it holds no secret."""
    message = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return message
    field = str(error["loc"][0])
    name = f"{PREFIX}{field.upper()}"
    if error["type"] == "missing":
        return f"{name}: required and not set"
    return f"{name}: {message} (it is {_shown(cls, field, error['input'])!r})"


def _shown(cls: type[BaseSettings], field: str, value: object) -> str:
    """The value as people may see it: the field's annotation says whether it is a secret."""
    known = cls.model_fields.get(field)
    if known is not None and known.annotation is SecretStr:
        return _HIDDEN if value else ""
    return _URL_SECRET.sub(rf"\1\2\3{_HIDDEN}", str(value))
