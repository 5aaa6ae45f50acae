"""Write the README's configuration tables from the settings classes.

`--check` changes nothing and fails when the README says something else.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic_core import PydanticUndefined

from services.common.config import PREFIX, ServiceSettings

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN = "<!-- configuration: written by tools/configuration_table.py -->"
END = "<!-- configuration: end -->"
PROCESSES = {
    "campaign": "services.campaign",
    "outdial": "services.outdial",
    "queue": "services.queue",
    "dialer": "services.dialer",
    "gateway": "gateway",
}


def main() -> None:
    """Write the tables, or with `--check` compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, change nothing")
    text = README.read_text()
    wanted = replaced(text)
    if parser.parse_args().check:
        if wanted != text:
            sys.exit(
                "README.md: the configuration tables are out of date; "
                "run: python -m tools.configuration_table"
            )
        return
    README.write_text(wanted)


def replaced(text: str) -> str:
    """The README with fresh tables between the two markers."""
    head, found, rest = text.partition(BEGIN)
    _, closed, tail = rest.partition(END)
    if not found or not closed:
        sys.exit(f"README.md has no {BEGIN} ... {END}")
    return f"{head}{BEGIN}\n\n{tables()}\n{END}{tail}"


def tables() -> str:
    """One table of what every process reads, and one for each process's own variables."""
    parts = [_table("Every process but the simulated network", ServiceSettings)]
    parts += [_table(f"`{name}`", settings_class(module)) for name, module in PROCESSES.items()]
    return "\n".join(part for part in parts if part)


def settings_class(module: str) -> type[ServiceSettings]:
    """The settings a process reads: the one class of its config module that is its own."""
    name = f"{module}.config"
    found = importlib.import_module(name)
    (own,) = [
        each
        for _, each in inspect.getmembers(found, inspect.isclass)
        if issubclass(each, ServiceSettings) and each.__module__ == name
    ]
    return own


def _table(title: str, cls: type[ServiceSettings]) -> str:
    rows = list(_rows(cls))
    if not rows:
        return ""
    head = f"**{title}**\n\n| variable | default | meaning |\n| --- | --- | --- |\n"
    return head + "".join(f"| `{name}` | {value} | {about} |\n" for name, value, about in rows)


def _rows(cls: type[ServiceSettings]) -> Iterator[tuple[str, str, str]]:
    """Variable, default and meaning of the fields that the class itself declares."""
    (tree,) = ast.parse(inspect.getsource(cls)).body
    assert isinstance(tree, ast.ClassDef)
    for field, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        name = field.target.id
        if name not in cls.model_fields:
            continue
        if not isinstance(after, ast.Expr) or not isinstance(after.value, ast.Constant):
            sys.exit(f"{cls.__name__}.{name} has no text that says what it means")
        about = " ".join(str(after.value.value).split()).replace("|", "\\|")
        yield f"{PREFIX}{name.upper()}", _default(cls, name), about


def _default(cls: type[ServiceSettings], name: str) -> str:
    value = cls.model_fields[name].get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if value is None or str(value) == "":
        return "none"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"`{value}`"


if __name__ == "__main__":
    main()
