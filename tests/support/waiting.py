"""Waiting for what no event announces: looking again until it holds, with a deadline."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

import pytest

PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.05


def wait_for(
    condition: Callable[[], Any],
    what: str = "the condition",
    *,
    seconds: float = PATIENCE_SECONDS,
) -> Any:
    """The first true value of `condition`; fails the test when it takes longer (real seconds)."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come true within {seconds:.0f} s")
        time.sleep(_LOOK_SECONDS)  # Between two looks; the deadline above decides.
    return value


async def eventually(
    condition: Callable[[], Any],
    what: str = "the condition",
    *,
    seconds: float = PATIENCE_SECONDS,
) -> Any:
    """Like `wait_for` beside other tasks; `condition` may be a coroutine function."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come true within {seconds:.0f} s")
        await asyncio.sleep(_LOOK_SECONDS)  # Between two looks; the deadline above decides.
