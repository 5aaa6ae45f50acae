"""What can go wrong when a server is started; every message is one line for a person."""

from __future__ import annotations

import errno
from pathlib import Path


class EmbeddedError(Exception):
    """A server could not be started or stopped; the text says why and what to do."""


class BinaryMissing(EmbeddedError):
    """No program to start was found."""


class PortTaken(EmbeddedError):
    """Another process listens on the wanted port."""


class FolderUnusable(EmbeddedError):
    """The data folder cannot be made, written or entered, or belongs to another version."""


class AlreadyRunning(EmbeddedError):
    """Another server works on the same data folder."""


class StartFailed(EmbeddedError):
    """The server ended or was not ready in time; the text ends with its last log line."""


def folder_error(folder: Path, error: OSError) -> FolderUnusable:
    """The error for a folder the operating system refused."""
    reasons = {
        errno.EROFS: "the disk is read-only",
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.ENOTDIR: "a part of the path is a file",
        errno.EEXIST: "a file of this name is in the way",
    }
    reason = reasons.get(error.errno or 0, error.strerror or str(error))
    return FolderUnusable(f"cannot use {error.filename or folder}: {reason}")
