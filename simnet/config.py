"""Configuration from the environment, read once and checked whole; the only reader of os.environ."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from simnet.clock import MICROSECONDS, Clock, ScaledClock, SteppedClock, real_us, to_us

DEFAULT_LISTEN = "127.0.0.1:7800"
DEFAULT_LEDGER = "simnet-ledger.jsonl"
# One network event costs about as much as sending one frame; 5 ms gathers a busy network's events
# into frames of dozens and is far below what a person at a phone notices.
DEFAULT_GATHER_MS = 5
# A dialer that takes over asks within a lease's time; an hour leaves room for a night shift's repair.
DEFAULT_RETENTION_SECONDS = 3600


class ConfigError(Exception):
    """Variables that are wrong; one line each."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the process was told."""

    listen: str
    metrics_listen: str  # empty: no metrics
    ledger: Path
    profile: Path | None  # None: the profile that comes with the package
    seed: str
    gather_seconds: float  # real
    retention_seconds: int  # real; how far back ended calls are told about
    clock: Clock


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration, or ConfigError that names every wrong variable and what is accepted."""
    reader = _Reader(environ)
    profile = environ.get("OUTBOUND_SIMNET_PROFILE", "")
    config = Config(
        listen=reader.address("OUTBOUND_SIMNET_LISTEN", DEFAULT_LISTEN),
        metrics_listen=reader.address("OUTBOUND_SIMNET_METRICS_LISTEN", ""),
        ledger=Path(environ.get("OUTBOUND_SIMNET_LEDGER") or DEFAULT_LEDGER),
        profile=Path(profile) if profile else None,
        seed=environ.get("OUTBOUND_SIMNET_SEED") or "1",
        gather_seconds=reader.number("OUTBOUND_SIMNET_GATHER_MS", DEFAULT_GATHER_MS, 0, 1000)
        / 1000,
        retention_seconds=int(
            reader.number(
                "OUTBOUND_SIMNET_RETENTION_SECONDS", DEFAULT_RETENTION_SECONDS, 0, 7 * 86400
            )
        ),
        clock=reader.clock(),
    )
    if reader.problems:
        raise ConfigError("\n".join(reader.problems))
    return config


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def address(self, name: str, default: str) -> str:
        value = self._environ.get(name) or default
        host, _, port = value.rpartition(":")
        if value and not (host and port.isdigit() and int(port) <= 65535):
            self.problems.append(f"{name} is {value!r}; accepted: host:port, port 0 to 65535")
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        text = self._environ.get(name) or str(default)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.problems.append(f"{name} is {text!r}; accepted: a number from {low} to {high}")
            return default
        return value

    def instant(self, name: str, default: datetime) -> datetime:
        text = self._environ.get(name, "")
        if not text:
            return default
        try:
            value = (
                datetime.fromtimestamp(float(text), UTC)
                if text.replace(".", "", 1).isdigit()
                else datetime.fromisoformat(text)
            )
        except (ValueError, OverflowError):
            self.problems.append(
                f"{name} is {text!r}; accepted: an ISO 8601 instant or seconds since 1970"
            )
            return default
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)

    def clock(self) -> Clock:
        now = datetime.fromtimestamp(real_us() / MICROSECONDS, UTC)
        real = self.instant("OUTBOUND_CLOCK_REAL_EPOCH", now)
        # Without a virtual epoch the domain time starts out as the real time.
        virtual = self.instant("OUTBOUND_CLOCK_VIRTUAL_EPOCH", real)
        scale = self.number("OUTBOUND_CLOCK_SCALE", 1.0, 0.000_001, 1_000_000)
        stepped = self._environ.get("OUTBOUND_SIMNET_STEPPED", "").lower()
        if stepped not in ("", "0", "false", "1", "true"):
            self.problems.append(f"OUTBOUND_SIMNET_STEPPED is {stepped!r}; accepted: true or false")
        if stepped in ("1", "true"):
            return SteppedClock(to_us(virtual))
        return ScaledClock(to_us(real), to_us(virtual), scale)
