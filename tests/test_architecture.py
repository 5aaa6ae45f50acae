"""The rules of the code's shape, and proof that their checker notices a broken one."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.import_rules import modules, violations

ROOT = Path(__file__).resolve().parents[1]
AREAS = ("services", "gateway", "simnet", "cli")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60

# Imports every module given, in a fresh process; stops the moment one of them reaches outside.
IMPORT_ALL = """
import importlib, sys, threading
FORBIDDEN = {"socket.connect", "socket.bind", "subprocess.Popen", "os.system", "os.posix_spawn"}
current = None
def watch(event, arguments):
    if current is not None and event in FORBIDDEN:
        print(f"importing {current} causes {event} {arguments}", file=sys.stderr)
        sys.stderr.flush()
        import os
        os._exit(3)
sys.addaudithook(watch)
for current in sys.argv[1:]:
    importlib.import_module(current)
current = None
extra = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
if extra:
    sys.exit(f"importing starts threads: {extra}")
"""


def test_every_import_keeps_the_rules() -> None:
    assert violations(ROOT) == []


def test_nothing_happens_at_import() -> None:
    names = [".".join(module.parts) for module in modules(ROOT, AREAS)]
    names = [name.removesuffix(".__init__") for name in names]
    bare = {"PATH": os.defpath, "HOME": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *names],
        cwd=ROOT,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_files_stay_short() -> None:
    lengths = {
        module.shown: len(module.path.read_text().splitlines())
        for module in modules(ROOT, (*AREAS, "deploy", "docs", "tests", "benchmarks", "tools"))
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_functions_fit_a_screen() -> None:
    lengths = {
        f"{module.shown} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for module in modules(ROOT, (*AREAS, "deploy", "docs", "tests", "benchmarks", "tools"))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    too_long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}
    assert too_long == {}


def test_packages_do_not_shadow_the_standard_library() -> None:
    # services/ or tests/ on the path would hide `queue`; these files keep pytest from putting them there.
    assert (ROOT / "services" / "__init__.py").exists()
    folders = {module.path.parent for module in modules(ROOT, ("tests",))}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
    assert list((ROOT / "services").rglob("test_*.py")) == []
    assert not (ROOT / "proto" / "__init__.py").exists()


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("services/dialer/clients.py", "import services.queue.domain", "over gRPC"),
        ("services/common/bus.py", "from services.queue import app", "over gRPC"),
        ("services/common/bus.py", "import gateway.app", "may not import"),
        ("gateway/app.py", "from services.outdial import rpc", "over gRPC"),
        ("gateway/routes.py", "import sqlalchemy", "may not import sqlalchemy"),
        ("gateway/progress.py", "from gateway.resources.tags import TAG", "resources use it"),
        ("simnet/server.py", "import services.common.clock", "shares no code"),
        ("simnet/server.py", "import structlog", "may not import structlog"),
        ("simnet/server.py", "from outbound.dialer.v1 import x_pb2", "may not import"),
        ("cli/up.py", "import gateway.app", "may not import gateway"),
        ("cli/up.py", "from services.dialer import app", "over gRPC"),
        ("services/outdial/domain.py", "import grpc", "domain may not import grpc"),
        ("services/outdial/ports.py", "from outbound.x.v1 import y", "ports may not import"),
        ("services/dialer/domain/calls.py", "import grpc", "domain may not import grpc"),
        ("services/outdial/service_claims.py", "import nats", "service may not import nats"),
        ("services/outdial/service.py", "from services.outdial import storage", "storage"),
        ("services/outdial/domain.py", "from services.outdial.ports import X", "ports"),
        ("services/queue/agents/rpc.py", "from services.queue.agents import storage", "storage"),
        ("services/queue/agents/rpc.py", "import sqlalchemy", "may not import sqlalchemy"),
        ("services/queue/agents/domain.py", "from services.queue.queues.service import X", "serv"),
        (
            "services/dialer/conversations/steps/web.py",
            "from services.dialer.dialing.runner import Runner",
            "built on it",
        ),
        ("services/dialer/loop.py", "from sqlalchemy import text", "belongs in storage"),
        ("services/dialer/loop.py", "from services.common.db import statement", "in storage"),
        ("services/dialer/loop.py", "from .rpc import X", "relative import"),
        ("services/dialer/loop.py", "from services.dialer.rpc import *", "wildcard"),
        ("services/dialer/loop.py", "import os\nos.environ['A']", "environment"),
        ("services/dialer/loop.py", "from os import getenv", "environment"),
        ("services/dialer/loop.py", "import datetime\ndatetime.datetime.now()", "the clock"),
        ("services/dialer/loop.py", "import time\ntime.time()", "the clock"),
        ("services/dialer/loop.py", "import grpc\ngrpc.aio.insecure_channel('x')", "app.py"),
        ("services/dialer/events.py", "import nats\nnats.connect('x')", "app.py"),
    ],
)
def test_broken_rule_is_noticed(tmp_path: Path, path: str, source: str, expected: str) -> None:
    for name in ("services/outdial/storage.py", "services/outdial/ports.py"):
        plant(tmp_path, name)
    for name in ("services/queue/agents/storage.py", "services/queue/queues/service.py"):
        plant(tmp_path, name)
    plant(tmp_path, path, source)
    found = violations(tmp_path)
    assert any(expected in text and text.startswith(path) for text in found), found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("services/outdial/storage.py", "from sqlalchemy import text"),
        ("services/outdial/storage_claims.py", "from services.common.db import statement"),
        ("services/outdial/app.py", "import grpc\ngrpc.aio.insecure_channel('x')"),
        ("services/outdial/events.py", "from sqlalchemy.ext.asyncio import AsyncConnection"),
        ("services/outdial/config.py", "import os\nos.environ['A']"),
        ("services/queue/agents/service.py", "from services.queue.queues.domain import X"),
        ("services/common/outbox.py", "from sqlalchemy import text"),
        ("gateway/storage.py", "import sqlalchemy, psycopg"),
        ("gateway/table.py", "from gateway.resources import tags"),
        ("simnet/clock.py", "import time\ntime.time()"),
        ("simnet/server.py", "from outbound.simnet.v1 import x_pb2\nimport grpc"),
        ("cli/up.py", "import os, services.common.clock\nos.environ['A']"),
    ],
)
def test_kept_rule_is_silent(tmp_path: Path, path: str, source: str) -> None:
    plant(tmp_path, path, source)
    assert violations(tmp_path) == []


def test_driver_behind_a_helper_is_noticed(tmp_path: Path) -> None:
    plant(tmp_path, "services/dialer/service.py", "from services.dialer.pacing import plan")
    plant(tmp_path, "services/dialer/pacing.py", "from services.common import bus")
    plant(tmp_path, "services/common/bus.py", "import nats")
    assert violations(tmp_path) == [
        "services/dialer/service.py: service may not import nats through "
        "services/dialer/pacing.py -> services/common/bus.py"
    ]


def plant(root: Path, path: str, source: str = "") -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source)
