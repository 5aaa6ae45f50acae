"""Drivers on the session's Asterisk, each test under a name of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.fixtures.asterisk import Pbx
from tests.integration.asterisk.stage import Stage
from tests.support.servers import open_folder
from tests.support.telephony import Ear, driving


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """One that Asterisk's user may enter: it plays from there."""
    with open_folder() as folder:
        yield folder


@pytest.fixture
async def stage(pbx: Pbx, tmp_path: Path) -> Stage:
    return Stage(pbx, tmp_path)


@pytest.fixture
async def ear(stage: Stage) -> AsyncIterator[Ear]:
    async with driving(stage) as one:
        yield one
