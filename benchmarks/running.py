"""A stack of the benchmark's own."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.client import Client
from cli.stack.ports import find_free_port

PROFILE = Path(__file__).with_name("profile.json")
_STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Running:
    """Where the stack is and how to enter."""

    url: str
    access_key: str

    def client(self) -> Client:
        """A client of its gateway."""
        return Client(self.url, self.access_key)


@contextlib.contextmanager
def stack(folder: Path) -> Iterator[Running]:
    """`outbound up` on the folder, in real time, without rate limits and with quiet logs."""
    key = "vb_" + secrets.token_hex(16)
    port = find_free_port("127.0.0.1", range(17_800, 18_000))
    command = [sys.executable, "-m", "cli.main", "up", "--data-dir", str(folder / "data")]
    command += ["--http", f"127.0.0.1:{port}", "--network-profile", str(PROFILE)]
    environment = {
        **os.environ,
        "OUTBOUND_BOOTSTRAP_ACCESS_KEY": key,
        "OUTBOUND_RATE_PRESET": "off",
        "OUTBOUND_LOG_LEVEL": "warning",
    }
    log = folder / "up.log"
    with (
        log.open("w") as sink,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=sink, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            if not process.stdout.readline().startswith("ready "):
                sys.exit(f"outbound up did not start: {log.read_text()}")
            yield Running(f"http://127.0.0.1:{port}", key)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_STOP_SECONDS)
