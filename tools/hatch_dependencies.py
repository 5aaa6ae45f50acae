"""Build hook: the wheel's dependencies are the lines of requirements/runtime.in."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class RuntimeDependencies(MetadataHookInterface):
    """Keeps one list of runtime dependencies instead of a second copy in pyproject.toml."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `dependencies` from the requirement lines, leaving comments out."""
        lines = (Path(self.root) / "requirements" / "runtime.in").read_text().splitlines()
        metadata["dependencies"] = [
            line.strip() for line in lines if line.strip() and not line.startswith("#")
        ]
