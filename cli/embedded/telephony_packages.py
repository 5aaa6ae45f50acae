"""Which Asterisk to run, and where SIPp comes from; either is unpacked on first need."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.debian_packages import UnpackedTree, is_complete, unpack
from cli.embedded.errors import BinaryMissing, folder_error
from cli.embedded.process import run_once

OLDEST = (22, 5)
"""Older ones have no REST requests over the websocket."""
ROOT_VARIABLE = "OUTBOUND_ASTERISK_ROOT"
FIX = (
    "install Asterisk 22.5 or newer, or set OUTBOUND_ASTERISK_ROOT to the folder of an unpacked one "
    "(it holds usr/sbin/asterisk)"
)
_PROGRAM = "usr/sbin/asterisk"


@dataclass(frozen=True, slots=True)
class Asterisk:
    """One installation."""

    words: tuple[str, ...]  # what starts it
    root: Path  # "/" for the system's
    version: tuple[int, ...]
    how: str  # which one it is, for people

    @property
    def modules(self) -> Path:
        """Its loadable modules."""
        for pattern in ("usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules"):
            for found in self.root.glob(pattern):
                return found
        raise BinaryMissing(f"{self.how} has no modules below {self.root}; {FIX}")

    @property
    def data(self) -> Path:
        """Documentation and REST descriptions, without which half the modules refuse to load."""
        for name in ("usr/share/asterisk", "var/lib/asterisk"):
            if (self.root / name / "documentation").is_dir():
                return self.root / name
        raise BinaryMissing(f"{self.how} has no documentation below {self.root}; {FIX}")


def find_asterisk(
    say: Callable[[str], None] = lambda line: None, *, may_download: bool = True
) -> Asterisk:
    """The named installation, else a system's that is new enough, else the unpacked one.

    The last is downloaded on first need (some 70 MB). Raises BinaryMissing with what to do.
    """
    named = os.environ.get(ROOT_VARIABLE)
    if named:
        return _unpacked(Path(named).absolute(), f"the one in {ROOT_VARIABLE}")
    system = _system()
    if system is not None:
        return system
    folder = _folder("asterisk")
    if not may_download and not is_complete(folder):
        raise BinaryMissing("not there yet; it is unpacked from Debian packages on first need")
    with _alone(folder):
        tree = _obtain(["asterisk"], folder, say)
    return _unpacked(tree.root, "unpacked from Debian packages")


def find_sipp(say: Callable[[str], None] = lambda line: None) -> list[str]:
    """The words that start SIPp, the tests' phones; unpacked on first need (some 25 MB).

    Never a system's: scenarios are particular about the version.
    """
    folder = _folder("sipp")
    with _alone(folder):
        tree = _obtain(["sip-tester"], folder, say)
    return tree.command("usr/bin/sipp")


def _obtain(packages: list[str], folder: Path, say: Callable[[str], None]) -> UnpackedTree:
    try:
        return unpack(packages, folder, say)
    except BinaryMissing as error:
        raise BinaryMissing(
            f"{error}; {FIX if packages == ['asterisk'] else 'install it'}"
        ) from error
    except OSError as error:
        raise folder_error(folder, error) from error


def _folder(name: str) -> Path:
    """Below the environment, so that removing the environment removes it."""
    return Path(sys.prefix) / "telephony" / name


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time unpacks; those who waited find it done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise folder_error(folder, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _system() -> Asterisk | None:
    found = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        return None
    version = _version((found,))
    if version is None or version < OLDEST:
        return None
    return Asterisk((found,), Path("/"), version, f"the system's {found}")


def _unpacked(root: Path, how: str) -> Asterisk:
    if not (root / _PROGRAM).is_file():
        raise BinaryMissing(f"{root} has no {_PROGRAM}; {FIX}")
    words = tuple(UnpackedTree(root).command(_PROGRAM))
    version = _version(words)
    if version is None:
        raise BinaryMissing(f"{root / _PROGRAM} cannot be run here; {FIX}")
    if version < OLDEST:
        raise BinaryMissing(f"{how} is Asterisk {'.'.join(map(str, version))}; {FIX}")
    return Asterisk(words, root, version, how)


def _version(words: tuple[str, ...]) -> tuple[int, ...] | None:
    try:
        answer = run_once([*words, "-V"])
    except OSError:
        return None
    number = re.search(r"Asterisk (?:certified[/-])?(\d+)\.(\d+)(?:\.(\d+))?", answer.stdout)
    return tuple(int(part) for part in number.groups() if part) if number else None
