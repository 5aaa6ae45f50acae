"""Write requirements/advisories.tsv: the known faults of Python packages, for audits without a network.

The source is a clone of the Python Packaging Authority's advisory database:
`python -m tools.advisories FOLDER` takes its present commit. One line a fault and package: package, id,
other names of the fault, affected versions. Several ranges of versions are separated by `|`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name

TARGET = Path(__file__).resolve().parents[1] / "requirements" / "advisories.tsv"
_BOUNDS = {"introduced": ">=", "fixed": "<", "last_affected": "<="}


def main() -> None:
    """Read the clone named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tools.advisories FOLDER (a clone of pypa/advisory-database)")
    folder = sys.argv[1]
    commit, date = _git(folder, "log", "-1", "--format=%H %cs").split()
    rows = sorted({row for text in _files(folder) for row in rows_of(_parsed(text))})
    head = f"# pypa/advisory-database {commit} {date}, CC BY 4.0, shortened\n"
    TARGET.write_text(head + "".join("\t".join(row) + "\n" for row in rows))
    print(f"{TARGET.name}: {len(rows)} advisories until {date}")


def rows_of(advisory: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """The lines of one advisory; none when it was withdrawn."""
    if "withdrawn" in advisory:
        return
    names = ",".join(advisory.get("aliases", ()))
    for affected in advisory.get("affected", ()):
        package = affected["package"]
        if package["ecosystem"] == "PyPI":
            yield canonicalize_name(package["name"]), advisory["id"], names, _versions(affected)


def _versions(affected: Mapping[str, Any]) -> str:
    found = [
        span
        for each in affected.get("ranges", ())
        if each["type"] == "ECOSYSTEM"
        for span in _spans(each["events"])
    ]
    return "|".join(found or [f"=={version}" for version in affected.get("versions", ())])


def _spans(events: list[dict[str, str]]) -> Iterator[str]:
    """`>=1,<2` for each introduction with what ended it."""
    span: list[str] = []
    for event in events:
        ((kind, version),) = event.items()
        if kind == "introduced" and span:
            yield ",".join(span)
            span = []
        span.append(f"{_BOUNDS[kind]}{version}")
    if span:
        yield ",".join(span)


def _files(folder: str) -> Iterator[str]:
    # As one stream: the clone need not have a work tree, and a process for each file takes minutes.
    listed = _git(folder, "ls-tree", "-r", "--name-only", "HEAD", "vulns").splitlines()
    names = "".join(f"HEAD:{name}\n" for name in listed if name.endswith(".yaml"))
    stream = subprocess.run(
        ["git", "-C", folder, "cat-file", "--batch"],
        input=names.encode(),
        capture_output=True,
        check=True,
    ).stdout
    while stream:
        head, _, rest = stream.partition(b"\n")
        size = int(head.split()[2])
        yield rest[:size].decode()
        stream = rest[size + 1 :]


def _git(folder: str, *words: str) -> str:
    done = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _parsed(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return loaded


if __name__ == "__main__":
    main()
