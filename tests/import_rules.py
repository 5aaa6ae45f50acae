"""Which module may import what, as a checker that `test_architecture` runs on the sources.

The rules: services meet only through generated stubs and events; inside a service the layers point one
way; domain, ports and service reach no driver, neither directly nor through a module of ours. A file
that outgrows its layer's module is named `<layer>_<part>.py`, or lies in a folder `<layer>/`, and stays
in that layer.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

# Service -> its sub-packages, each with the same layers as a service of its own.
SERVICES: dict[str, set[str]] = {
    "campaign": {"campaigns", "campaigncalls", "outplans", "flows"},
    "outdial": set(),
    "queue": {"queues", "agents"},
    "dialer": set(),
}
# Layer -> the layers of its own service that it may import, besides itself.
LAYERS: dict[str, set[str]] = {
    "domain": set(),
    "ports": {"domain"},
    "service": {"domain", "ports"},
    "convert": {"domain"},
    "storage": {"domain", "ports"},
    "clients": {"domain", "ports", "convert"},
    "events": {"domain", "ports", "service", "convert"},
    "rpc": {"domain", "service", "convert"},
    "config": set(),
}
# Folder -> the one that is built on it, and that nothing in it may import.
BUILT_ON: dict[str, str] = {"services/dialer/conversations": "services.dialer.dialing"}
PURE = {"domain", "ports", "service"}
DRIVERS = {"grpc", "grpc_status", "sqlalchemy", "psycopg", "nats", "google", "outbound"}
FORBIDDEN_PACKAGES: dict[str, set[str]] = {
    "convert": {"grpc", "sqlalchemy", "psycopg", "nats"},
    "storage": {"grpc", "nats", "outbound", "google"},
    "clients": {"sqlalchemy", "psycopg", "nats"},
    # Events hand the connection of the transaction to the outbox; its type is all they may know.
    "events": {"grpc", "sqlalchemy", "psycopg"},
    "rpc": {"sqlalchemy", "psycopg", "nats"},
    "config": {"grpc", "sqlalchemy", "psycopg", "nats", "outbound"},
}
CONNECTION_TYPES = "sqlalchemy.ext.asyncio"
SIMNET_PACKAGES = {
    "simnet",
    "grpc",
    "grpc_health",
    "grpc_reflection",
    "google",
    "uvloop",
    "prometheus_client",
}
CONNECTING_CALLS = {"create_engine", "create_async_engine", "insecure_channel", "secure_channel"}
CLOCKS = {"services/common/clock.py", "simnet/clock.py"}
CLOCK_READS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}


@dataclass(frozen=True)
class Module:
    """One source file, with what it imports."""

    root: Path
    path: Path

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """For example ("services", "queue", "agents", "storage")."""
        return self.path.relative_to(self.root).with_suffix("").parts

    @cached_property
    def shown(self) -> str:
        """The path people see in a report."""
        return str(self.path.relative_to(self.root))

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed source."""
        return ast.parse(self.path.read_text(), self.shown)

    @property
    def area(self) -> str:
        """The top folder."""
        return self.parts[0]

    @property
    def service(self) -> str | None:
        """The service that owns the module; None for common and everything outside services."""
        is_owned = self.area == "services" and len(self.parts) > 2 and self.parts[1] in SERVICES
        return self.parts[1] if is_owned else None

    @property
    def layer(self) -> str | None:
        """The layer the module belongs to; None for helpers, app and __main__."""
        if self.service is None:
            return None
        inside = self.parts[2:]
        if len(inside) > 1 and inside[0] in SERVICES[self.service]:
            inside = inside[1:]
        return layer_of(inside[0])

    @cached_property
    def imports(self) -> list[str]:
        """Full names: `from a import b` gives `a.b`."""
        names: list[str] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names += [f"{node.module}.{alias.name}" for alias in node.names]
        return names

    def own_imports(self) -> Iterator[Module]:
        """The modules of this project that are imported."""
        for name in self.imports:
            segments = name.split(".")
            if segments[0] in {"services", "gateway", "simnet", "cli"}:
                # The name may end with a function or class of the module.
                for length in (len(segments), len(segments) - 1):
                    place = self.root.joinpath(*segments[:length])
                    path = next(
                        filter(Path.is_file, (place.with_suffix(".py"), place / "__init__.py")),
                        None,
                    )
                    if path is not None:
                        yield Module(self.root, path)
                        break


def layer_of(name: str) -> str | None:
    """`storage` and `storage_claims` are both of the layer `storage`."""
    layer = name.split("_")[0]
    return layer if layer in LAYERS else None


def modules(root: Path, areas: Iterable[str]) -> list[Module]:
    """Every source file of these top folders."""
    return [
        Module(root, path)
        for area in areas
        for path in sorted((root / area).rglob("*.py"))
        if "__pycache__" not in path.parts
    ]


def violations(root: Path) -> list[str]:
    """One line for each broken rule, beginning with the file."""
    found: list[str] = []
    for module in modules(root, ("services", "gateway", "simnet", "cli")):
        rules = (style, areas, layers, folders, purity, packages, sql, ambient)
        found += [f"{module.shown}: {text}" for rule in rules for text in rule(module)]
    return found


def style(module: Module) -> Iterator[str]:
    """Absolute imports by name only."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            if node.level > 0:
                yield "relative import; write the full name"
            if any(alias.name == "*" for alias in node.names):
                yield f"wildcard import from {node.module}"


def areas(module: Module) -> Iterator[str]:
    """Top folders and services do not reach into each other."""
    for name in module.imports:
        head, *rest = name.split(".")
        target = rest[0] if head == "services" and rest else None
        if target is not None and target != "common" and module.service != target:
            who = module.service or "/".join(module.parts[:2])
            yield f"{who} imports {name}; call the service over gRPC or consume its events"
        if head == "services" and module.area == "simnet":
            yield f"the simulated network shares no code with the services ({name})"
        is_table = module.parts[1:2] in {("resources",), ("table",)}
        if module.area == "gateway" and name.startswith("gateway.resources") and not is_table:
            yield f"gateway/{module.parts[-1]} may not import {name}; resources use it"
        allowed = {"cli"} if module.area == "cli" else {module.area}
        if module.area == "cli":
            allowed.add("simnet")
        if head in {"gateway", "simnet", "cli", "tests", "benchmarks"} and head not in allowed:
            yield f"{module.area} may not import {name}"


def layers(module: Module) -> Iterator[str]:
    """Inside a service the layers point one way."""
    if module.layer is None:
        return
    allowed = LAYERS[module.layer] | {module.layer}
    for target in module.own_imports():
        if target.service != module.service:
            continue
        if target.parts[2:] == ("app",) or (
            target.layer is not None and target.layer not in allowed
        ):
            yield f"{module.layer} may not import {'.'.join(target.parts[2:])}"


def folders(module: Module) -> Iterator[str]:
    """A folder knows nothing of the one that is built on it."""
    folder = "/".join(module.parts[:3])
    above = BUILT_ON.get(folder)
    for name in module.imports:
        if above is not None and name.startswith(f"{above}."):
            yield f"{folder} may not import {name}, which is built on it"


def purity(module: Module) -> Iterator[str]:
    """Domain, ports and service reach no driver and no generated code, directly or not."""
    if module.layer not in PURE:
        return
    seen: set[Path] = set()
    waiting: list[tuple[Module, tuple[str, ...]]] = [(module, ())]
    while waiting:
        current, way = waiting.pop()
        if current.path in seen:
            continue
        seen.add(current.path)
        for package in sorted({name.split(".")[0] for name in current.imports} & DRIVERS):
            through = f" through {' -> '.join(way)}" if way else ""
            yield f"{module.layer} may not import {package}{through}"
        waiting += [(target, (*way, target.shown)) for target in current.own_imports()]


def packages(module: Module) -> Iterator[str]:
    """What each layer, the gateway and the simulated network may use of others' packages."""
    forbidden = FORBIDDEN_PACKAGES.get(module.layer or "", set())
    if module.area == "gateway" and layer_of(module.parts[-1]) != "storage":
        forbidden = {"sqlalchemy", "psycopg"}
    for name in module.imports:
        package = name.split(".")[0]
        is_type = name.startswith(CONNECTION_TYPES) and module.layer == "events"
        if package in forbidden and not is_type:
            yield f"{module.layer or module.area} may not import {package} ({name})"
        if module.area == "simnet":
            is_own_stub = name.startswith(("outbound.simnet.", "outbound.common."))
            known = package in SIMNET_PACKAGES or package in sys.stdlib_module_names
            if not (known or is_own_stub or package in {"services", "gateway", "cli"}):
                yield f"the simulated network may not import {name}"


def sql(module: Module) -> Iterator[str]:
    """SQL is written in storage modules, in migrations and in common."""
    is_place = module.parts[:2] == ("services", "common") or module.area == "cli"
    if is_place or layer_of(module.parts[-1]) == "storage":
        return
    for name in module.imports:
        is_statement = name in {"services.common.db.statement", "sqlalchemy.text"}
        is_driver = name.split(".")[0] in {"sqlalchemy", "psycopg"}
        if is_statement or (is_driver and not name.startswith(CONNECTION_TYPES)):
            yield f"SQL belongs in storage.py ({name})"


def ambient(module: Module) -> Iterator[str]:
    """Environment, time and connections come in through one door each."""
    may_connect = module.parts[:2] == ("services", "common") or module.parts[-1] == "app"
    may_read = module.parts[-1] == "config"
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Attribute):
            continue
        owner = node.value.attr if isinstance(node.value, ast.Attribute) else None
        owner = node.value.id if isinstance(node.value, ast.Name) else owner
        if module.area == "cli" or owner is None:
            continue
        if owner == "os" and node.attr in {"environ", "getenv"} and not may_read:
            yield f"line {node.lineno}: only config.py reads the environment"
        if (owner, node.attr) in CLOCK_READS and module.shown not in CLOCKS:
            yield f"line {node.lineno}: {owner}.{node.attr} bypasses the clock"
        connects = node.attr in CONNECTING_CALLS or (owner, node.attr) == ("nats", "connect")
        if connects and not may_connect:
            yield f"line {node.lineno}: {node.attr} belongs in services/common or app.py"
    for name in module.imports:
        if name in {"os.environ", "os.getenv"} and not may_read and module.area != "cli":
            yield f"only config.py reads the environment ({name})"
        if name in {"time.time", "time.time_ns"} and module.shown not in CLOCKS:
            yield f"{name} bypasses the clock"
