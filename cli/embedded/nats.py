"""A real nats-server with JetStream in its own process, on the loopback address."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from cli.embedded.errors import BinaryMissing, EmbeddedError, PortTaken, StartFailed, folder_error
from cli.embedded.process import ServerProcess, last_line

_HOST = "127.0.0.1"
_READY_SECONDS = 30.0
_STOP_SECONDS = 15.0
# A batch of 500 large events outgrows the server's default of 1 MiB; 8 MiB is the most it advises.
_MAX_PAYLOAD_BYTES = 8 * 1024 * 1024


class Nats:
    """One nats-server with a file store. Not shared between threads.

    `config` is put behind this launcher's own settings, in nats-server's configuration language:
    the place for accounts, operators and resolvers.
    """

    def __init__(
        self, store_dir: Path, *, port: int = 0, config: str = "", binary: Path | None = None
    ) -> None:
        """Describe a server; port 0 takes a free one and keeps it for later starts.

        `store_dir` gets the JetStream files (`jetstream/`), `nats.conf` and `nats.log`.
        """
        self._store_dir = store_dir.absolute()
        self._port = port
        self._config = config
        self._binary = binary
        self._process: ServerProcess | None = None

    @property
    def binary(self) -> Path:
        """The program that is run: the given one, the environment's own, or PATH's."""
        found = _find_binary(self._binary)
        if found is None:
            raise BinaryMissing(
                "no nats-server found; run `make setup` (it installs one), or put one on PATH"
            )
        return found

    @property
    def log_file(self) -> Path:
        """What the server writes."""
        return self._store_dir / "nats.log"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        return self._running().pid

    def is_running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._process is not None and self._process.is_running()

    def start(self) -> None:
        """Start the server and return when it accepts clients.

        Does nothing when it runs already; may be called again after it died. Raises a subclass of
        EmbeddedError.
        """
        if self.is_running():
            return
        self.stop()
        binary = self.binary
        try:
            self._store_dir.mkdir(parents=True, exist_ok=True)
            self._store_dir.chmod(0o700)
            configuration = self._store_dir / "nats.conf"
            configuration.write_text(self._configuration())
            configuration.chmod(0o600)
        except OSError as error:
            raise folder_error(self._store_dir, error) from error
        with tempfile.TemporaryDirectory(prefix="outbound-nats-") as folder:
            self._process = ServerProcess(
                [str(binary), "--config", str(configuration), "--ports_file_dir", folder],
                log_file=self.log_file,
                end_signal=signal.SIGTERM,
            )
            if not self._process.wait_until(lambda: self._read_port(Path(folder)), _READY_SECONDS):
                raise self._failure()

    def stop(self) -> None:
        """End the server; what it stored stays. Safe to repeat."""
        if self._process is not None:
            self._process.stop(_STOP_SECONDS)
            self._process = None

    def url(self) -> str:
        """Address for clients, for example `nats://127.0.0.1:4222`."""
        self._running()
        return f"nats://{_HOST}:{self._port}"

    def _running(self) -> ServerProcess:
        if self._process is None:
            raise EmbeddedError("nats-server has not been started")
        return self._process

    def _configuration(self) -> str:
        store = json.dumps(str(self._store_dir / "jetstream"), ensure_ascii=False)
        return (
            f"listen: {json.dumps(f'{_HOST}:{self._port or -1}')}\n"
            f"max_payload: {_MAX_PAYLOAD_BYTES}\n"
            f"jetstream {{ store_dir: {store} }}\n"
            f"{self._config}\n"
        )

    def _read_port(self, folder: Path) -> bool:
        """Learn the port from the file the server writes once it listens."""
        for path in folder.glob("*.ports"):
            try:
                addresses = json.loads(path.read_text())["nats"]
            except (ValueError, KeyError):
                return False  # Half written; the next look finds it whole.
            self._port = int(addresses[0].rsplit(":", 1)[1])
            return True
        return False

    def _failure(self) -> EmbeddedError:
        process = self._running()
        log = process.log()
        self.stop()
        if "address already in use" in log:
            return PortTaken(f"port {self._port} on {_HOST} is taken; choose another for NATS")
        fatal = [line for line in log.splitlines() if "[FTL]" in line or "nats-server: " in line]
        reason = fatal[-1].strip() if fatal else last_line(log)
        return StartFailed(f"nats-server did not start: {reason}")


def _find_binary(wanted: Path | None) -> Path | None:
    if wanted is not None:
        return wanted if wanted.is_file() else None
    own = Path(sys.executable).parent / "nats-server"
    if own.is_file():
        return own
    found = shutil.which("nats-server")
    return Path(found) if found else None
