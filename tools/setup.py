"""Make `.venv`: the locked packages of requirements/dev.txt and this project, editable.

Run by `make setup` with any Python from 3.11 on; uses only the standard library. Does nothing when
the environment already matches the lock.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".outbound-setup"
LOCK = ROOT / "requirements" / "dev.txt"
OLDEST = (3, 11)
# Published as source only, though it is a single Python file. It is built with the locked
# setuptools already in .venv, so that no unpinned build tool is fetched and no compiler is needed.
SOURCE_ONLY = "nkeys"
SOURCE_BUILD_TOOL = "setuptools"


def main() -> None:
    """Bring `.venv` up to date, or say in one line what is missing."""
    if sys.version_info < OLDEST:
        stop(
            f"Python {'.'.join(map(str, OLDEST))} or newer is needed, this is "
            f"{sys.version.split()[0]}; name another one with: make setup PYTHON=python3.12"
        )
    base, wanted = base_fingerprint(), lock_fingerprint()
    found = STAMP.read_text().split() if STAMP.is_file() and PYTHON.exists() else []
    if found == [base, wanted]:
        return
    if found[:1] != [base]:
        create_venv()
    STAMP.unlink(missing_ok=True)
    install_lock()
    install_project()
    STAMP.write_text(f"{base}\n{wanted}\n")
    print(f"setup: .venv is ready (Python {sys.version.split()[0]})")


def base_fingerprint() -> str:
    """Digest of the interpreter and the place: scripts of an environment hold its path."""
    return hashlib.sha256(f"{sys.version} {VENV}".encode()).hexdigest()


def lock_fingerprint() -> str:
    """Digest of what is installed: the lock, how the project is packaged and this file."""
    import tomllib  # Not at the top: an older Python must get as far as main's message.

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packaging = [project["build-system"], project["project"], project["tool"]["hatch"]]
    digest = hashlib.sha256(repr(packaging).encode())
    for path in (LOCK, ROOT / "requirements" / "runtime.in", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def create_venv() -> None:
    """Make `.venv` afresh."""
    try:
        import ensurepip  # noqa: F401  (Debian ships Python without it)
        import venv
    except ImportError:
        stop(
            "this Python has no venv/ensurepip module; on Debian or Ubuntu install it with: "
            f"apt-get install python{sys.version_info.major}.{sys.version_info.minor}-venv"
        )
    print("setup: making .venv", flush=True)
    try:
        shutil.rmtree(VENV, ignore_errors=True)
        venv.create(VENV, with_pip=True, symlinks=True)
    except (OSError, subprocess.CalledProcessError) as error:
        stop(f"cannot make {VENV}: {error}")


def install_lock() -> None:
    """Install the lock with uv, or with plain pip (half a minute slower) when uv cannot."""
    if not pip_install(lock_entries(SOURCE_BUILD_TOOL)):
        stop("the package index cannot be used; pip's message above says why")
    if pip_install(lock_entries("uv"), quiet=True) and sync_with_uv():
        return
    print("setup: uv could not; installing the locked packages with pip", flush=True)
    # Afresh, because pip does not remove what an earlier lock left behind.
    create_venv()
    if not (pip_install(lock_entries(SOURCE_BUILD_TOOL)) and pip_install(LOCK)):
        stop("the locked packages could not be installed; pip's message above says why")


def sync_with_uv() -> bool:
    """Whether uv could make the environment exactly what the lock says."""
    print("setup: installing the locked packages with uv", flush=True)
    command = [str(VENV / "bin" / "uv"), "pip", "sync", "--quiet", "--require-hashes"]
    command += ["--only-binary", ":all:", "--no-binary", SOURCE_ONLY, "--no-build-isolation"]
    return run([*command, "--python", str(PYTHON), str(LOCK)], extra_env=uv_index())


def lock_entries(package: str) -> Path:
    """One package of the lock, with its hashes, as a requirement file of its own."""
    pattern = rf"^{re.escape(package)}==.*(?:\n    --hash=.*)+"
    entry = re.search(pattern, LOCK.read_text(), re.MULTILINE)
    if entry is None:
        stop(f"{LOCK.relative_to(ROOT)} has no {package}; renew it with: make lock")
    path = VENV / f"{package}-requirement.txt"
    path.write_text(entry.group() + "\n")
    return path


def pip_install(requirements: Path, *, quiet: bool = False) -> bool:
    """Whether pip could install exactly what the hashes allow."""
    command = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--no-build-isolation"]
    command += ["--only-binary", ":all:", "--no-binary", SOURCE_ONLY, "-r", str(requirements)]
    return run(command, quiet=quiet)


def install_project() -> None:
    """Put the project on the path; its build tool is part of the lock, nothing is fetched."""
    uv = VENV / "bin" / "uv"
    options = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    by_uv = [str(uv), "pip", "install", "--quiet", "--offline", "--python", str(PYTHON)]
    by_pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if uv.exists() and run([*by_uv, *options]):
        return
    if not run([*by_pip, *options]):
        stop("the project itself could not be installed; the message above says why")


def uv_index() -> dict[str, str]:
    """The package index pip is configured for: uv does not read pip's settings."""
    if "UV_DEFAULT_INDEX" in os.environ or "UV_INDEX_URL" in os.environ:
        return {}
    asked = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    address = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    return {"UV_DEFAULT_INDEX": address} if address else {}


def run(
    command: list[str], *, quiet: bool = False, extra_env: dict[str, str] | None = None
) -> bool:
    """Whether the command succeeded."""
    sink = subprocess.DEVNULL if quiet else None
    # uv comes with its own certificates, pip uses the system's: a company's proxy is known there.
    environment = {"UV_SYSTEM_CERTS": "true", **os.environ, **(extra_env or {})}
    # An active other environment would redirect uv and pip away from .venv.
    environment.pop("VIRTUAL_ENV", None)
    environment.pop("PIP_USER", None)
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=sink, stderr=sink, check=False)
    return done.returncode == 0


def stop(message: str) -> NoReturn:
    """End with one line for a person."""
    sys.exit(f"setup: {message}")


if __name__ == "__main__":
    main()
