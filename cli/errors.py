"""What a command reports before it exits, and with which code."""

from __future__ import annotations

from enum import IntEnum


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
