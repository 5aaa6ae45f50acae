"""The campaign process for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.postgres import DatabaseFactory
from tests.integration.campaign.support import Plant, make_plant


@pytest.fixture
async def plant(database: DatabaseFactory) -> AsyncIterator[Plant]:
    async with make_plant(database("campaign")) as made:
        yield made
