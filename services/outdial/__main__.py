"""`python -m services.outdial`: the outdial process."""

from services.common.foundation import main
from services.outdial.app import NAME, build
from services.outdial.config import OutdialSettings

if __name__ == "__main__":
    main(OutdialSettings, NAME, build)
