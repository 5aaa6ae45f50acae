"""`python -m gateway`: read the settings, configure the log, serve."""

from gateway import app
from gateway.config import GatewaySettings
from services.common.config import load
from services.common.log import configure
from services.common.server import run


def main() -> None:
    """Run the gateway process."""
    settings = load(GatewaySettings)
    configure(app.NAME, settings.log_level)
    run(app.run(settings))


if __name__ == "__main__":
    main()
