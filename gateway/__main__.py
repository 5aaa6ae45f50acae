"""`python -m gateway`: the gateway process."""

from gateway.app import NAME, build
from gateway.config import GatewaySettings
from services.common.foundation import main

if __name__ == "__main__":
    main(GatewaySettings, NAME, build)
