"""`python -m gateway`: read the settings, configure the log, serve."""

from gateway import app
from gateway.config import GatewaySettings
from services.common.config import load, masked
from services.common.log import configure, get_logger
from services.common.server import run


def main() -> None:
    """Run the gateway process."""
    settings = load(GatewaySettings)
    configure(app.NAME, settings.log_level)
    get_logger().info("settings", **masked(settings))
    run(app.run(settings))


if __name__ == "__main__":
    main()
