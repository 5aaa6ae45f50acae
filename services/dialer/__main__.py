"""`python -m services.dialer`: a dialer process."""

from services.common.foundation import main
from services.dialer.app import NAME, build
from services.dialer.config import DialerSettings

if __name__ == "__main__":
    main(DialerSettings, NAME, build)
