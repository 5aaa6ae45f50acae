"""The data folder of a stack: who works on it, which ports it uses, what time it is there."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.embedded.errors import AlreadyRunning, folder_error
from cli.stack.ports import claim_port, find_free_port, spread

DEFAULT_DATA_DIR = Path("outbound-data")
# Below the ports Linux hands to outgoing connections (32768-60999), so that a service that is
# restarted finds its own port free.
_FIRST_PORT, _LAST_PORT = 21000, 29999


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """The three values by which every process of the stack agrees on the domain time."""

    real_epoch: datetime
    virtual_epoch: datetime
    scale: float

    def domain_time(self, real: datetime) -> datetime:
        """The domain time at a real instant."""
        return self.virtual_epoch + (real - self.real_epoch) * self.scale


class DataFolder:
    """A data folder, held by at most one `outbound up` at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None

    @property
    def logs(self) -> Path:
        """Log files, one a process, for their owner only."""
        return self.path / "logs"

    @property
    def secrets(self) -> Path:
        """Keys and passwords, readable by their owner only."""
        return self.path / "secrets"

    @property
    def recordings(self) -> Path:
        """Recorded calls, for their owner only; empty with the simulated network."""
        return self.path / "recordings"

    @property
    def run_file(self) -> Path:
        """Addresses of the running stack; absent while it is down."""
        return self.path / "run.json"

    def acquire(self) -> None:
        """Make the folder and lock it. Raises AlreadyRunning or FolderUnusable."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for private in (self.logs, self.secrets, self.recordings):
                private.mkdir(exist_ok=True)
                private.chmod(0o700)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise folder_error(self.path, error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._lock, 20, 0).decode(errors="replace").strip()
            os.close(self._lock)
            self._lock = None
            raise AlreadyRunning(
                f"another outbound (process {holder or 'unknown'}) works on {self.path}; "
                "stop it or choose another --data-dir"
            ) from error
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give the folder back; the run file goes with it. Safe to repeat."""
        if self._lock is not None:
            self.run_file.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def write_run(self, facts: dict[str, Any]) -> None:
        """Publish the addresses of the running stack for the other commands."""
        write_private(self.run_file, json.dumps(facts, indent=2))

    def settle_clock(self, scale: float, now: datetime) -> ClockSettings:
        """The clock for this start: domain time never goes back, whatever scales were used before."""
        path = self.path / "clock.json"
        virtual = now
        former = _read_clock(path)
        if former is not None:
            virtual = max(virtual, former.domain_time(now))
        settings = ClockSettings(real_epoch=now, virtual_epoch=virtual, scale=scale)
        text = {name: str(value) for name, value in asdict(settings).items()}
        write_private(path, json.dumps(text))
        return settings

    def settle_ports(self, names: Sequence[str]) -> dict[str, int]:
        """A free port for each name; those of the last start are kept where they still are free."""
        path = self.path / "ports.json"
        former: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        ports: dict[str, int] = {}
        for name in names:
            port = former.get(name, 0)
            if not claim_port("127.0.0.1", port):
                port = find_free_port("127.0.0.1", spread(_FIRST_PORT, _LAST_PORT))
            ports[name] = port
        write_private(path, json.dumps(ports))
        return ports


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner may read it."""
    fresh = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        raise folder_error(path, error) from error


def utc_now() -> datetime:
    """The real time; the stack's epoch."""
    return datetime.now(UTC)


def _read_clock(path: Path) -> ClockSettings | None:
    try:
        raw = json.loads(path.read_text())
        return ClockSettings(
            real_epoch=datetime.fromisoformat(raw["real_epoch"]),
            virtual_epoch=datetime.fromisoformat(raw["virtual_epoch"]),
            scale=float(raw["scale"]),
        )
    except (OSError, ValueError, KeyError):
        return None
