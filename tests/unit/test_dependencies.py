"""The audit of the locked packages: it finds what is known, and says what it could not look at."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import advisories, audit

PLANTED = "jinja2==2.11.2 \\\n    --hash=sha256:00\n    # via nothing\n"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "planted.txt"
    path.write_text(f"# a comment\n{PLANTED}sound==1.0 ; python_version > '3'\n")
    return path


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Has pip-audit print this instead of asking the package index."""

    def answer(stdout: str, stderr: str) -> None:
        done = subprocess.CompletedProcess([], 1, stdout, stderr)
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)

    return answer


def test_a_known_fault_is_found_without_a_network(
    lock: Path, index: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    index("", "Traceback\n\nConnectionError: no such host\n")
    assert audit.main([lock]) == 1
    said = capsys.readouterr().out
    assert "2 pins of planted.txt against pypa/advisory-database" in said
    assert "FAULT: jinja2 2.11.2: PYSEC-2021-66" in said
    assert (
        "WARNING: NOT audited against advisories of today: 2 pins (ConnectionError: no such host)"
        in said
    )


def test_a_package_the_index_knows_nothing_of_is_not_called_clean(
    lock: Path, index: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    index(
        '{"dependencies": [{"name": "jinja2", "skip_reason": "not found"},'
        '{"name": "sound", "version": "1.0", "vulns": ['
        '{"id": "CVE-1", "fix_versions": ["1.1"]}]}]}',
        "",
    )
    assert audit.main([lock]) == 1
    said = capsys.readouterr().out
    assert "1 of them against the package index's own" in said
    assert "WARNING: NOT audited against advisories of today: 1 pins" in said
    assert "FAULT: sound 1.0: CVE-1 (fixed in 1.1)" in said


def test_without_known_faults_it_passes(
    tmp_path: Path, index: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "sound.txt"
    lock.write_text("sound==1.0\n")
    index('{"dependencies": [{"name": "sound", "version": "1.0", "vulns": []}]}', "")
    assert audit.main([lock]) == 0
    assert "WARNING" not in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "# nothing\n", "sound>=1.0\n", "-e .\n"])
def test_a_lock_that_cannot_be_audited_is_an_error(tmp_path: Path, text: str) -> None:
    lock = tmp_path / "odd.txt"
    lock.write_text(text)
    with pytest.raises(ValueError, match="pin"):
        audit.pins_of(lock)


def test_every_pin_of_the_locks_is_looked_at() -> None:
    for lock in audit.LOCKS:
        named = [line for line in lock.read_text().splitlines() if "==" in line and line[0] != " "]
        assert len(audit.pins_of(lock)) == len(named) > 50


@pytest.mark.parametrize(
    ("version", "is_affected"),
    [("0.9", False), ("1.0", True), ("1.5rc1", True), ("2.0", False), ("3.0", True), ("4", True)],
)
def test_an_advisory_may_name_several_ranges(version: str, is_affected: bool) -> None:
    events = [
        {"introduced": "1.0"},
        {"fixed": "2.0"},
        {"introduced": "3.0"},
    ]
    affected = {
        "package": {"ecosystem": "PyPI", "name": "Some.Thing"},
        "ranges": [{"type": "GIT", "events": []}, {"type": "ECOSYSTEM", "events": events}],
    }
    (row,) = advisories.rows_of({"id": "X-1", "aliases": ["CVE-9"], "affected": [affected]})
    text = "# source\n" + "\t".join(row)
    faults, source = audit.local_faults([audit.Pin("some-thing", version)], text)
    assert source == "source"
    assert bool(faults) is is_affected


def test_a_withdrawn_advisory_is_none() -> None:
    assert list(advisories.rows_of({"id": "X-1", "withdrawn": "2024", "affected": []})) == []
