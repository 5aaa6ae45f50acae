"""Look for known faults of the locked packages: `python -m tools.audit [LOCK...]`, exit code 1 if there are.

Two sources. The package index's own advisories, of today, asked by pip-audit; where there is no network,
or an index that tells none, that is said in one line and nothing else happens. And the advisories of
requirements/advisories.tsv, as of the date in its first line, which need no network. What was audited,
and against what, is always printed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"
LOCKS = (REQUIREMENTS / "runtime.txt", REQUIREMENTS / "dev.txt")
ADVISORIES = REQUIREMENTS / "advisories.tsv"
LIVE_SECONDS = 60.0
"""How long the package index may take for all packages, real seconds."""
_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)")


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One locked package."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """A known fault of a locked package."""

    pin: Pin
    id: str
    detail: str

    def __str__(self) -> str:
        return f"{self.pin.name} {self.pin.version}: {self.id} ({self.detail})"


@dataclass(frozen=True, slots=True)
class Live:
    """What the package index says: of which pins, and why of no more."""

    faults: tuple[Fault, ...] = ()
    audited: frozenset[Pin] = frozenset()
    silence: str = ""


def main(locks: Sequence[Path] = LOCKS) -> int:
    """Audit, print what was found, and give the exit code."""
    pins = {pin for lock in locks for pin in pins_of(lock)}
    local, source = local_faults(pins, ADVISORIES.read_text())
    live = live_faults(locks)
    names = ", ".join(lock.name for lock in locks)
    print(f"audit: {len(pins)} pins of {names} against {source}")
    print(f"audit: {len(pins & live.audited)} of them against the package index's own, of today")
    if missing := pins - live.audited:
        print(
            f"audit: WARNING: NOT audited against advisories of today: {len(missing)} pins"
            f" ({live.silence or 'unknown to the package index'})"
        )
    faults = sorted({*local, *live.faults})
    for fault in faults:
        print(f"audit: FAULT: {fault}")
    print(f"audit: {len(faults)} known faults")
    return 1 if faults else 0


def pins_of(lock: Path) -> list[Pin]:
    """Every package of a lock; ValueError for a line that is neither a pin nor belongs to one."""
    found = []
    for line in lock.read_text().splitlines():
        if not line.strip() or line[0] in " #":
            continue
        match = _PIN.match(line)
        if match is None:
            raise ValueError(f"{lock.name}: {line!r} is no pin; accepted: name==version")
        found.append(Pin(canonicalize_name(match[1]), match[2]))
    if not found:
        raise ValueError(f"{lock.name} has no pins: nothing would be audited")
    return found


def local_faults(pins: Iterable[Pin], advisories: str) -> tuple[list[Fault], str]:
    """The faults of the pins by a file as tools.advisories writes it, and the file's first line."""
    head, *lines = advisories.splitlines()
    known: Mapping[str, list[list[str]]] = defaultdict(list)
    for line in lines:
        name, *rest = line.split("\t")
        known[name].append(rest)
    if not lines or not head.startswith("# "):
        raise ValueError("the file of advisories has no head or no advisories")
    found = []
    for pin in pins:
        for fault_id, names, versions in known.get(pin.name, ()):
            if _affects(pin.version, versions):
                found.append(Fault(pin, fault_id, names or versions))
    return found, head.removeprefix("# ")


def _affects(version: str, spans: str) -> bool:
    for span in spans.split("|"):
        try:
            if SpecifierSet(span).contains(Version(version), prereleases=True):
                return True
        except InvalidSpecifier:
            # Some advisories name versions as nobody may call them today; no such one is locked.
            if f"=={version}" == span:
                return True
    return False


def live_faults(locks: Sequence[Path]) -> Live:
    """What pip-audit hears from the package index."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    for lock in locks:
        command += ["--requirement", str(lock)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIVE_SECONDS)
    except subprocess.TimeoutExpired:
        return Live(silence=f"no answer within {LIVE_SECONDS:g} s")
    try:
        answers = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return Live(silence=last_line(done.stderr))
    return heard(answers)


def heard(answers: Iterable[Mapping[str, object]]) -> Live:
    """pip-audit's answer. It calls a package clean of which it knows nothing: those are told apart."""
    faults, audited = [], set()
    for each in answers:
        if "skip_reason" in each:
            continue
        pin = Pin(canonicalize_name(str(each["name"])), str(each["version"]))
        audited.add(pin)
        vulnerabilities = each["vulns"]
        assert isinstance(vulnerabilities, list)
        for one in vulnerabilities:
            fixed = ", ".join(one["fix_versions"]) or "no version"
            faults.append(Fault(pin, one["id"], f"fixed in {fixed}"))
    return Live(tuple(faults), frozenset(audited))


def last_line(text: str) -> str:
    """Why pip-audit gave up, in one line."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else "pip-audit said nothing"


if __name__ == "__main__":
    sys.exit(main([Path(each) for each in sys.argv[1:]] or LOCKS))
