"""Where a secret may not be seen: logs, process arguments, and files that others may read."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.fixtures.stack import RunningStack

# Groups may read: Asterisk, as a user of its own, is let to read its configuration by one.
_OTHERS = stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH


def secrets_of(stack: RunningStack) -> dict[str, str]:
    """Every secret the stack's folder keeps, by a name for it."""
    found: dict[str, str] = {}
    for path in (stack.data_dir / "secrets").iterdir():
        text = path.read_text()
        if path.suffix == ".json":
            found |= _values(path.name, json.loads(text))
        else:
            lines = [line for line in text.splitlines() if line and not line.startswith(("-", "*"))]
            found |= {f"{path.name} {number}": line for number, line in enumerate(lines)}
    # What is known to everybody: issuers' public keys and roles, addresses, names of users.
    public = ("trusted_keys", "username", "ari_url", "account_public", "_jwt", "pbxs.json name")
    return {
        name: value
        for name, value in found.items()
        if len(value) >= 16 and not any(word in name for word in public)
    }


def _values(name: str, value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        pairs: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    else:
        return {name: value} if isinstance(value, str) else {}
    found: dict[str, str] = {}
    for key, each in pairs:
        found |= _values(f"{name} {key}", each)
    return found


def logs_of(stack: RunningStack) -> dict[str, str]:
    """Everything that any of its processes has written, by file; but not what a person was shown."""
    return {
        str(path.relative_to(stack.data_dir)): path.read_text(errors="replace")
        for path in stack.data_dir.rglob("*.log")
        if path.name != "up.log"
    }


def arguments_of(stack: RunningStack) -> dict[str, str]:
    """The command lines of the stack and of all its descendants: every user of the machine sees them."""
    found, waiting = {}, [stack.process.pid]
    while waiting:
        pid = waiting.pop()
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            for thread in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[f"{pid} {line[:60]}"] = line
    return found


def open_files_with(stack: RunningStack, secrets: Iterable[str]) -> Iterator[str]:
    """Files with a secret in them that others than their owner may read or change."""
    wanted = [secret.encode() for secret in secrets]
    for path in stack.data_dir.rglob("*"):
        if path.name == "up.log":
            continue  # Not the stack's: what the test's terminal would show.
        if path.is_file() and path.stat().st_mode & _OTHERS and not _is_closed_above(stack, path):
            content = path.read_bytes()
            if any(secret in content for secret in wanted):
                yield str(path.relative_to(stack.data_dir))


def _is_closed_above(stack: RunningStack, path: Path) -> bool:
    """Whether a folder on the way lets nobody else pass."""
    folders = [each for each in path.parents if each.is_relative_to(stack.data_dir)]
    return any(not each.stat().st_mode & stat.S_IXOTH for each in folders)


def seen(secrets: Mapping[str, str], places: Mapping[str, str]) -> list[str]:
    """Which secret is seen where; empty when none is."""
    return [
        f"{name} in {place}"
        for name, secret in secrets.items()
        for place, text in places.items()
        if secret in text
    ]
