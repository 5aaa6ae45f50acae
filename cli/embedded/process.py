"""One child process that ends with its parent, with its output in a log file."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.errors import BinaryMissing, folder_error

_POLL_SECONDS = 0.02
# A server's log is for the present problem; what is older than this many bytes starts afresh.
_LOG_LIMIT = 16 * 1024 * 1024
# Blocks until the pipe from the parent closes, which the kernel does however the parent ends.
# Then the server is ended, by force after 30 s, and the folder that is of no use without it removed.
_WATCH = """
read -r _
kill -s "$1" "$2" 2>/dev/null
left=300
while [ $left -gt 0 ] && kill -0 "$2" 2>/dev/null; do sleep 0.1; left=$((left - 1)); done
if [ $left -eq 0 ]; then kill -s KILL "$2" 2>/dev/null; fi
if [ -n "$3" ]; then rm -rf -- "$3"; fi
"""


@dataclass(frozen=True, slots=True)
class User:
    """The operating-system user a child runs as."""

    uid: int
    gid: int

    @classmethod
    def known(cls, *names: str) -> User:
        """The first of these that the system has; else the overflow id, `nobody` on most systems."""
        for name in names:
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(entry.pw_uid, entry.pw_gid)
        return cls(65534, 65534)


class ServerProcess:
    """A running server. Not shared between threads.

    The server gets a session of its own, so that Ctrl-C in the terminal reaches the parent only,
    which stops its servers last. A tiny `sh` beside it waits for the parent's end and then sends
    `end_signal`. PR_SET_PDEATHSIG is not used: it fires when the *thread* that started the child
    ends, and it is lost when the child changes its user.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log_file: Path,
        end_signal: signal.Signals,
        user: User | None = None,
        environment: Mapping[str, str] | None = None,
        temporary: Path | None = None,
    ) -> None:
        """Start `command`; raises BinaryMissing or FolderUnusable (the log file).

        `temporary` is a folder to remove should the parent die without having done so.
        """
        self._end_signal = end_signal
        self._log_file = log_file
        try:
            if log_file.exists() and log_file.stat().st_size > _LOG_LIMIT:
                log_file.unlink()
            # A server's log may show what it works on: not to other users.
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            output = os.fdopen(os.open(log_file, flags, 0o600), "ab")
        except OSError as error:
            raise folder_error(log_file, error) from error
        with output:
            self._log_start = output.tell()
            try:
                self._server = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd="/",
                    env=environment,
                    start_new_session=True,
                    user=user.uid if user else None,
                    group=user.gid if user else None,
                    extra_groups=[] if user else None,
                )
            except OSError as error:
                raise BinaryMissing(f"cannot run {command[0]}: {error.strerror}") from error
        arguments = [end_signal.name[3:], str(self._server.pid), str(temporary or "")]
        self._guard = subprocess.Popen(
            ["sh", "-c", _WATCH, "outbound-guard", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._server.pid

    def is_running(self) -> bool:
        """Whether the server has not ended."""
        return self._server.poll() is None

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> bool:
        """Wait until `ready()`; False when the server ended or the time passed first."""
        deadline = time.monotonic() + seconds
        while self.is_running():
            if ready():
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return False

    def log(self) -> str:
        """What this server has written since it was started (its last 64 KiB)."""
        try:
            with self._log_file.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(self._log_start, end - 65536))
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def ask_to_stop(self) -> None:
        """Send the end signal without waiting, so that several servers can stop side by side."""
        if self.is_running():
            self._server.send_signal(self._end_signal)

    def stop(self, seconds: float) -> None:
        """End the server by its end signal, by SIGKILL after `seconds`; safe to repeat."""
        if self.is_running():
            self.ask_to_stop()
            try:
                self._server.wait(seconds)
            except subprocess.TimeoutExpired:
                self._server.kill()
        self._server.wait()
        self._dismiss_guard()

    def _dismiss_guard(self) -> None:
        # Killed before its pipe is closed: it must not signal an id that may be reused by now.
        self._guard.kill()
        self._guard.wait()
        if self._guard.stdin is not None:
            with contextlib.suppress(OSError):
                self._guard.stdin.close()


def run_once(
    command: Sequence[str],
    *,
    user: User | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a short program to its end, as `user`; its output is in the result."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd="/",
        env=environment,
        check=False,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )


def last_line(text: str) -> str:
    """The last non-empty line, or a word that says there was none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it wrote nothing"
