"""`python -m services.campaign`: the campaign process."""

from services.campaign.app import NAME, build
from services.campaign.config import CampaignSettings
from services.common.foundation import main

if __name__ == "__main__":
    main(CampaignSettings, NAME, build)
