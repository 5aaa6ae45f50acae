"""`python -m services.queue`: the process of queues, agents and tags."""

from __future__ import annotations

from services.common.config import load
from services.common.log import configure
from services.common.server import run
from services.queue import app
from services.queue.config import QueueSettings


def main() -> None:
    """Read the settings and serve until told to stop."""
    settings = load(QueueSettings)
    configure("queue", settings.log_level)
    run(app.run(settings))


if __name__ == "__main__":
    main()
