"""Start the outdial process: `python -m services.outdial`."""

from __future__ import annotations

from services.common import config, server
from services.outdial import app
from services.outdial.config import OutdialSettings


def main() -> None:
    """Read the settings and serve."""
    server.run(app.run(config.load(OutdialSettings)))


if __name__ == "__main__":
    main()
