"""A world a test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.postgres import DatabaseFactory
from tests.integration.queue.world import World, open_world


@pytest.fixture
async def world(database: DatabaseFactory) -> AsyncIterator[World]:
    async with open_world(database("queue")) as opened:
        yield opened
