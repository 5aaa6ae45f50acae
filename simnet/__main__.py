"""`python -m simnet`: the simulated telephone network."""

from __future__ import annotations

import sys

import uvloop

from simnet import app, config, log
from simnet.ledger import LedgerError
from simnet.profile import ProfileError


def main() -> None:
    """Serve; exit code 2 when the configuration is wrong."""
    try:
        uvloop.run(app.run(config.load()))
    except (config.ConfigError, ProfileError, LedgerError) as error:
        for line in str(error).splitlines():
            log.write("configuration_wrong", level="error", detail=line)
        sys.exit(2)


if __name__ == "__main__":
    main()
