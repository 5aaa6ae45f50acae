"""`outbound doctor`: what is missing on this machine, and how to fix it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import httpx
import typer

from cli.commands.running import DEFAULT, DataDir, Json, reports_errors, running_stack
from cli.commands.up import parse_address
from cli.embedded.errors import EmbeddedError
from cli.embedded.nats import Nats
from cli.embedded.postgres_files import find_binaries
from cli.embedded.telephony_packages import FIX, ROOT_VARIABLE, find_asterisk
from cli.errors import CommandError, ExitCode
from cli.stack.folder import DataFolder
from cli.stack.ports import is_port_free
from cli.stack.processes import grpc_health, http_health

_MIN_FREE_BYTES = 1024**3
_MIN_PYTHON = (3, 11)
_RESTING = re.compile(r'^outbound_asterisk_trunk_resting\{trunk="([^"]*)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    is_good: bool
    found: str
    fix: str = ""


@reports_errors
def doctor(
    data_dir: DataDir = DEFAULT,
    http: Annotated[str, typer.Option(help="Address `outbound up` would use.")] = "127.0.0.1:8080",
    as_json: Json = False,
) -> None:
    """Check Python, the servers' programs, the data folder, ports and a running stack. Exits 1 on a fault."""
    findings = [*_machine(data_dir), *_stack(data_dir, http)]
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            mark = "ok   " if finding.is_good else "FAULT"
            typer.echo(f"{mark} {finding.name}: {finding.found}")
            if not finding.is_good and finding.fix:
                typer.echo(f"      fix: {finding.fix}")
    if not all(finding.is_good for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _machine(data_dir: Path) -> list[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    findings = [
        Finding("python", sys.version_info >= _MIN_PYTHON, version, "install Python 3.11 or newer"),
        _program("postgresql", lambda: str(find_binaries(None, None).folder)),
        _program("nats-server", lambda: str(Nats(data_dir / "nats").binary)),
        _asterisk(),
        _folder(data_dir),
    ]
    for module in ("grpc", "psycopg", "nats", "uvloop", "starlette", "uvicorn"):
        there = importlib.util.find_spec(module) is not None
        findings.append(
            Finding(f"package {module}", there, "installed" if there else "missing", "make setup")
        )
    return findings


def _program(name: str, find: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, find())
    except EmbeddedError as error:
        return Finding(name, False, str(error), "make setup")


def _asterisk() -> Finding:
    """Which Asterisk would be run; none yet is no fault, it is got when it is needed."""
    try:
        found = find_asterisk(may_download=False)
    except EmbeddedError as error:
        return Finding("asterisk", not os.environ.get(ROOT_VARIABLE), str(error), FIX)
    version = ".".join(map(str, found.version))
    return Finding("asterisk", True, f"{version}, {found.how}")


def _folder(data_dir: Path) -> Finding:
    """Whether the data folder can be written and has room."""
    place = data_dir.absolute()
    while not place.exists():
        place = place.parent
    fix = "choose another --data-dir"
    try:
        with tempfile.TemporaryFile(dir=place) as probe:
            probe.write(b"x")
    except OSError as error:
        return Finding("data folder", False, f"{place}: {error.strerror}", fix)
    free = shutil.disk_usage(place).free
    text = f"{data_dir} ({free / 1024**3:.1f} GiB free)"
    return Finding("data folder", free >= _MIN_FREE_BYTES, text, "free at least 1 GiB, or " + fix)


def _stack(data_dir: Path, http: str) -> list[Finding]:
    try:
        facts = running_stack(data_dir)
    except CommandError:
        host, port = parse_address(http)
        free = is_port_free(host, port)
        text = f"{http} is {'free' if free else 'taken'}; no stack runs on {data_dir}"
        return [Finding("http port", free, text, "choose another with --http")]
    findings = []
    if not _is_alive(int(facts["pid"])):
        return [
            Finding(
                "stack",
                False,
                f"process {facts['pid']} is gone",
                f"remove {DataFolder(data_dir).run_file} and start `outbound up` again",
            )
        ]
    for name, pid in facts["pids"].items():
        findings.append(
            Finding(
                f"process {name}",
                pid is not None and _is_alive(pid),
                f"pid {pid}" if pid else "down; it is being started again",
                f"see {DataFolder(data_dir).logs / name}.log",
            )
        )
    for name, address in facts["grpc"].items():
        if name != "nats":
            healthy = grpc_health(address)()
            text = f"{address} {'serves' if healthy else 'does not serve'}"
            findings.append(Finding(f"service {name}", healthy, text, "wait, or see its log"))
    findings += trunk_findings(facts["metrics"])
    healthy = http_health(f"{facts['url']}/health")()
    findings.append(Finding("gateway", healthy, str(facts["url"]), "see logs/gateway.log"))
    return findings


def trunk_findings(metrics: Mapping[str, str]) -> list[Finding]:
    """Whether the dialers make calls through their trunks, as their metrics say."""
    resting: dict[str, list[str]] = {}
    for name, address in metrics.items():
        if not name.startswith("dialer-"):
            continue
        try:
            text = httpx.get(f"http://{address}/metrics", timeout=2, trust_env=False).text
        except httpx.HTTPError:
            continue  # that it does not serve is a finding of its own
        for trunk, value in _RESTING.findall(text):
            resting.setdefault(trunk, []).extend(
                [name.removesuffix("-metrics")] if float(value) else []
            )
    return [
        Finding(
            f"trunk {trunk}",
            not dialers,
            f"rests after failing again and again, at {', '.join(dialers)}" if dialers else "works",
            "see trunk_rests in the dialers' logs; it is tried again by itself",
        )
        for trunk, dialers in sorted(resting.items())
    ]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
