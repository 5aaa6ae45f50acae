"""Our own processes as children: start, health, restart with patience, ordered stop."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.embedded.errors import StartFailed
from cli.embedded.process import ServerProcess, last_line

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
# A process that lived this long has recovered: its next death is answered at once again.
_STEADY_SECONDS = 30.0
_PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """How one process is run and how to tell that it is healthy."""

    name: str
    module: str
    environment: Mapping[str, str]
    is_healthy: Callable[[], bool]
    stop_seconds: float = 15.0
    arguments: tuple[str, ...] = ()


@dataclass(slots=True)
class Child:
    """One process of the stack, started again when it dies."""

    spec: ProcessSpec
    log_file: Path
    _process: ServerProcess | None = None
    _started_at: float = 0.0
    _pause: float = _FIRST_PAUSE_SECONDS
    _restart_at: float | None = None
    _notes: list[str] = field(default_factory=list)

    @property
    def pid(self) -> int | None:
        """Process id; None when it is down."""
        return self._process.pid if self._process and self._process.is_running() else None

    def start(self) -> None:
        """Start it; health comes later."""
        self._process = ServerProcess(
            [sys.executable, "-m", self.spec.module, *self.spec.arguments],
            log_file=self.log_file,
            end_signal=signal.SIGTERM,
            environment=self.spec.environment,
        )
        self._started_at = time.monotonic()

    def await_health(self, deadline: float, is_stopping: Callable[[], bool]) -> None:
        """Return when it is healthy; raises StartFailed when it ended or the time passed."""
        assert self._process is not None
        while not self._process.wait_until(self.spec.is_healthy, 0.5):
            if is_stopping():
                return
            if not self._process.is_running() or time.monotonic() > deadline:
                reason = _reason(self._process.log())
                raise StartFailed(
                    f"{self.spec.name} did not become healthy; see {self.log_file}: {reason}"
                )

    def watch(self) -> str | None:
        """Look after it once; the text is what there is to tell."""
        if self._process is not None and self._process.is_running():
            if time.monotonic() - self._started_at > _STEADY_SECONDS:
                self._pause = _FIRST_PAUSE_SECONDS
            return None
        if self._restart_at is None:
            self._restart_at = time.monotonic() + self._pause
            said = f"{self.spec.name} ended; starting it again in {self._pause:.1f} s"
            self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
            return said
        if time.monotonic() >= self._restart_at:
            self._restart_at = None
            self.stop()  # Reaps what is left of the dead one.
            self.start()
        return None

    def ask_to_stop(self) -> None:
        """Send the end signal without waiting."""
        if self._process is not None:
            self._process.ask_to_stop()

    def stop(self) -> None:
        """End it gracefully, by force after its time. Safe to repeat."""
        if self._process is not None:
            self._process.stop(self.spec.stop_seconds)
            self._process = None


def _reason(log: str) -> str:
    """What a process wrote last of an error, in one line; else its last line."""
    for line in reversed(log.splitlines()):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("level") == "error":
            detail = entry.get("exception") or entry.get("detail") or entry.get("error") or ""
            return f"{entry.get('event')}: {last_line(str(detail))}"
    return last_line(log)


def grpc_health(address: str) -> Callable[[], bool]:
    """A probe that asks grpc.health.v1."""

    def probe() -> bool:
        with grpc.insecure_channel(address) as channel:
            try:
                answer = health_pb2_grpc.HealthStub(channel).Check(  # type: ignore[attr-defined]
                    health_pb2.HealthCheckRequest(), timeout=_PROBE_SECONDS
                )
            except grpc.RpcError:
                return False
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    return probe


def http_health(url: str) -> Callable[[], bool]:
    """A probe that wants 200 from a URL."""

    def probe() -> bool:
        try:
            return httpx.get(url, timeout=_PROBE_SECONDS, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    return probe
