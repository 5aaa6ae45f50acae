"""Started by root, Asterisk runs as a user who may do nothing else: it talks to whoever rings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from cli.embedded.process import User, run_once
from cli.embedded.telephony_packages import Asterisk

_FIRST_FREE_PORT = 1024


def choose_user(
    folder: Path, program: Asterisk, port: int, say: Callable[[str], None]
) -> User | None:
    """The user to run as; None to stay who we are, which `say` is told when we are root."""
    if os.geteuid() != 0:
        return None
    user = User.known("asterisk", "nobody")
    reason = _hindrance(user, folder, program, port)
    if reason:
        say(f"Asterisk runs as root: {reason}")
        return None
    return user


def hand_over(folders: Iterable[Path], user: User) -> None:
    """Give it the folders it writes to, with what an earlier start as root left in them."""
    for folder in folders:
        if folder.stat().st_uid == user.uid:
            continue
        for parent, names, files in os.walk(folder):
            for name in (*names, *files):
                os.chown(Path(parent, name), user.uid, user.gid, follow_symlinks=False)
        os.chown(folder, user.uid, user.gid)


def let_read(files: Iterable[Path], user: User) -> None:
    """Let it read files that stay ours, and nobody else."""
    for path in files:
        os.chown(path, 0, user.gid)
        path.chmod(0o640)


def let_enter(folder: Path, user: User) -> None:
    """Let it open files that it knows by name in a folder that stays ours, and nobody else."""
    os.chown(folder, 0, user.gid)
    folder.chmod(0o710)


def _hindrance(user: User, folder: Path, program: Asterisk, port: int) -> str:
    """Why it cannot be another user; empty when it can."""
    if port < _FIRST_FREE_PORT:
        return f"only root may listen on port {port}"
    try:
        if run_once(["test", "-x", str(folder)], user=user).returncode:
            return f"user {user.uid} may not enter {folder}"
        if run_once(["test", "-r", str(program.modules)], user=user).returncode:
            return f"user {user.uid} may not read {program.modules}"
        if run_once([*program.words, "-V"], user=user).returncode:
            return f"user {user.uid} cannot run {program.words[0]}"
    except OSError as error:
        return f"cannot run a program as user {user.uid}: {error.strerror}"
    return ""
