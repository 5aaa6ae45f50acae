"""One world a test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.postgres import DatabaseFactory
from tests.fixtures.simnet import SimnetProcess
from tests.integration.dialer.world import World
from tests.integration.dialer.world import world as running_world


@pytest.fixture
async def world(
    tmp_path: Path, database: DatabaseFactory, nats_url: str, simnet: SimnetProcess
) -> AsyncIterator[World]:
    """All services but the dialers."""
    url = database("campaign", "outdial", "queue", "dialer")
    async with running_world(tmp_path, url, nats_url, simnet) as made:
        yield made
