"""A whole dialer on fakes and a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from tests.unit.dialer.stage import Stage

Stages = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def stage() -> Stages:
    """`async with stage(numbers=["+1..."], queue_id=...) as s:` runs a dialer inside the block."""

    @asynccontextmanager
    async def running(*arguments: Any, **options: Any) -> AsyncIterator[Stage]:
        made = Stage(*arguments, **options)
        tasks = [asyncio.create_task(body(), name=name) for name, body in made.system.background()]
        try:
            await made.settle()
            yield made
            failed = [task for task in tasks if task.done()]
            for task in failed:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return running
