"""Runs every benchmark on one fresh stack; exits 1 when a floor was not reached."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import attempts, imports, reads, running
from benchmarks.results import keep, show


def main() -> None:
    """See the module."""
    with tempfile.TemporaryDirectory(prefix="outbound-bench-", ignore_cleanup_errors=True) as path:
        folder = Path(path)
        # PostgreSQL may run as another user, who must be able to enter.
        folder.chmod(0o755)
        with running.stack(folder) as stack, stack.client() as client:
            results = [attempts.measure(client)]
            campaign = client.get("/campaigns")["result"][0]["id"]
            results.append(reads.measure(stack, campaign))
            results.append(imports.measure(client, folder))
    keep(results)
    show(results)
    sys.exit(0 if all(result.holds for result in results) else 1)


if __name__ == "__main__":
    main()
