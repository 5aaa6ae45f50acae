"""`python -m services.campaign`: the campaign process."""

from __future__ import annotations

from services.campaign import app
from services.campaign.config import CampaignSettings
from services.common import log, server
from services.common.config import load, masked


def main() -> None:
    """Run until SIGTERM."""
    settings = load(CampaignSettings)
    log.configure(app.NAME, settings.log_level)
    log.get_logger().info("settings", **masked(settings))
    server.run(app.run(settings))


if __name__ == "__main__":
    main()
