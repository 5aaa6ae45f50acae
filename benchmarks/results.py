"""What a benchmark reports, how it is shown and where it is kept."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

FILE = Path(__file__).resolve().parents[1] / "build" / "bench.json"


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `reference` is the bare cost of the same work, measured in the same run."""

    name: str
    value: float
    unit: str
    floor: float
    """Lowest acceptable value, on two cores that hold everything."""
    reference: float | None = None

    @property
    def ratio(self) -> float:
        """Share of the reference that was reached; without one, multiple of the floor."""
        return self.value / (self.floor if self.reference is None else self.reference)

    @property
    def holds(self) -> bool:
        """Whether the floor was reached."""
        return self.value >= self.floor


def keep(results: Sequence[Result]) -> None:
    """Write the figures to build/bench.json, with what they were measured on."""
    FILE.parent.mkdir(exist_ok=True)
    document = {
        "tm": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "results": {
            result.name: {
                **{name: value for name, value in asdict(result).items() if name != "name"},
                "ratio": round(result.ratio, 3),
            }
            for result in results
        },
    }
    FILE.write_text(json.dumps(document, indent=2) + "\n")


def show(results: Sequence[Result]) -> None:
    """Print the figures as a table."""
    table = Table()
    table.add_column("what")
    for column in ("value", "unit", "floor", "reference", "ratio", ""):
        table.add_column(column, justify="right")
    for result in results:
        reference = "" if result.reference is None else f"{result.reference:,.0f}"
        table.add_row(
            result.name.replace("_", " "),
            f"{result.value:,.0f}",
            result.unit,
            f"{result.floor:,.0f}",
            reference,
            f"{result.ratio:.2f}",
            "ok" if result.holds else "below the floor",
        )
    Console().print(table)
