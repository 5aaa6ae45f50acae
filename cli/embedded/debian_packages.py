"""Programs out of Debian packages, unpacked into a folder: no root, nothing installed, nothing changed.

apt does the work with a state of its own below the folder: it solves against an empty list of installed
packages, so the closure holds every library, the C library included, and it checks the signatures. The
mirror is the one the machine is configured with. The programs are started through their own `ld.so`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.errors import BinaryMissing

SUITES = ("sid", "forky")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_DONE = ".complete"
# What packages of the closure ask for and no server loads here.
_UNUSED = re.compile(
    r"^(perl.*|libperl5.*|gnupg.*|gpg.*|dirmngr|pinentry-.*|tzdata|debconf|adduser|passwd|base-passwd"
    r"|login.defs|libpam-modules.*|libsnmp.*|libsensors.*|pci.ids|libpci3|libc-gconv-.*"
    r"|libdebconfclient0|libgdbm.*|asterisk-config|dpkg|tar|init-system-helpers|lsb-base)$"
)
_AT_ONCE = 8


class UnpackFailed(BinaryMissing):
    """No package could be had; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class UnpackedTree:
    """A folder laid out like `/`, whose programs need its own loader and libraries."""

    root: Path

    def command(self, program: str) -> list[str]:
        """The words that start `program`, such as usr/sbin/asterisk."""
        loaders = [
            *self.root.glob("usr/lib/*-linux-gnu*/ld-linux*.so.*"),
            *self.root.glob("lib/*-linux-gnu*/ld-*.so*"),
            *self.root.glob("usr/lib*/ld-linux*.so.*"),
        ]
        if not loaders:
            raise UnpackFailed(f"{self.root} has no ld.so; remove the folder, and it is made anew")
        folders = [*self.root.glob("usr/lib/*-linux-gnu*"), *self.root.glob("lib/*-linux-gnu*")]
        libraries = ":".join(str(path) for path in (*folders, self.root / "usr/lib"))
        return [str(loaders[0]), "--library-path", libraries, str(self.root / program)]


def is_complete(folder: Path) -> bool:
    """Whether an unpacking into `folder` was finished."""
    return (folder / _DONE).is_file()


def unpack(packages: Sequence[str], folder: Path, say: Callable[[str], None]) -> UnpackedTree:
    """The packages and all they need, unpacked into `folder`, from the first suite that has them.

    Does nothing when it was done before. Raises UnpackFailed.
    """
    tree = UnpackedTree(folder / "root")
    if is_complete(folder):
        return tree
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise UnpackFailed(
                f"{packages[0]} comes from Debian packages, and {program} is missing"
            )
    mirror = _mirror()
    say(f"unpacking {packages[0]} from Debian packages into {folder}")
    failures = []
    for suite in SUITES:
        failure = _from_suite(packages, folder, mirror, suite)
        if not failure:
            (folder / _DONE).write_text(f"{suite}\n")
            return tree
        failures.append(f"{suite}: {failure}")
    raise UnpackFailed(f"{packages[0]} could not be unpacked ({'; '.join(failures)})")


def _mirror() -> str:
    """The mirror apt is configured with; the question prints what would be fetched and fetches nothing."""
    printed = _run(["apt-get", "update", "--print-uris"]).stdout
    found = re.search(r"^'(\S+/debian)/dists/", printed, re.MULTILINE)
    if found is None:
        raise UnpackFailed(
            "apt is configured with no Debian mirror; install Asterisk 22.5 or newer yourself, or set "
            "OUTBOUND_ASTERISK_ROOT"
        )
    return found.group(1)


def _from_suite(packages: Sequence[str], folder: Path, mirror: str, suite: str) -> str:
    """Download and unpack; what went wrong, or nothing."""
    state = folder / "apt"
    shutil.rmtree(state, ignore_errors=True)
    for name in ("lists/partial", "cache/archives/partial", "parts", "debs"):
        (state / name).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {mirror} {suite} main\n")
    apt = ["apt-get", *_options(state)]
    updated = _run([*apt, "-qq", "update"])
    if updated.returncode != 0:
        return _first_line(updated.stderr) or "its lists could not be fetched"
    solved = _run([*apt, "install", "-s", "--no-install-recommends", *packages])
    names = re.findall(r"^Inst (\S+)", solved.stdout, re.MULTILINE)
    if not names:
        return _first_line(solved.stderr) or "it does not have the package"
    wanted = [name for name in names if not _UNUSED.match(name)]
    loaded = _run([*apt, "-qq", "download", *wanted], folder=state / "debs")
    if loaded.returncode != 0:
        return _first_line(loaded.stderr) or "the download failed"
    failure = _extract(sorted((state / "debs").glob("*.deb")), folder)
    shutil.rmtree(state, ignore_errors=True)
    return failure


def _options(state: Path) -> list[str]:
    settings = {
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": state / "parts",
        "Dir::Etc::preferencesparts": state / "parts",
        "Dir::Etc::preferences": state / "none",
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "APT::Sandbox::User": "",
        # A machine whose clock is ahead of the mirror would refuse every list as expired.
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "1",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _extract(archives: Sequence[Path], folder: Path) -> str:
    """Unpack into a fresh folder and put it in place in one step."""
    fresh, root = folder / "root.new", folder / "root"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(root, ignore_errors=True)
    fresh.mkdir(parents=True)
    with ThreadPoolExecutor(min(_AT_ONCE, os.cpu_count() or 1)) as pool:
        done = list(
            pool.map(lambda path: _run(["dpkg-deb", "-x", str(path), str(fresh)]), archives)
        )
    failed = [each for each in done if each.returncode != 0]
    if failed:
        return _first_line(failed[0].stderr) or "an archive could not be unpacked"
    fresh.rename(root)
    return ""


def _run(command: Sequence[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:200] if lines else ""
