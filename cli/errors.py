"""What a command reports before it exits, and with which code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """Exit codes of every `outbound` command, fit for scripts."""

    OK = 0
    FAILED = 1
    """The command ran and the answer is no: rows rejected, a check failed, a campaign not found."""
    USAGE = 2
    """Wrong arguments or settings."""
    UNAVAILABLE = 3
    """A server could not be started or reached."""


class CommandError(Exception):
    """Ends the command with one clear line on standard error."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around writes to a file the caller named: one line when the system refuses them."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", ExitCode.USAGE) from error
