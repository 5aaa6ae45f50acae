"""The gateway's process: what it holds is closed, and a fault of ours ends it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.app import build
from gateway.bootstrap import Bootstrapper
from gateway.config import GatewaySettings
from services.common.clients import Channels
from services.common.jetstream import Bus


def closing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes what of the gateway's connections is closed; closing the channels fails."""
    closed: list[str] = []
    close_channels, close_bus = Channels.close, Bus.close

    async def channels(self: Channels) -> None:
        await close_channels(self)
        closed.append("channels")
        raise RuntimeError("cannot close")

    async def bus(self: Bus) -> None:
        await close_bus(self)
        closed.append("bus")

    monkeypatch.setattr(Channels, "close", channels)
    monkeypatch.setattr(Bus, "close", bus)
    return closed


@pytest.fixture
def made(settings: dict[str, Any]) -> GatewaySettings:
    return GatewaySettings(**settings)


async def test_what_cannot_be_closed_does_not_keep_the_rest_open(
    made: GatewaySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = closing(monkeypatch)
    gateway = await build(made)
    gateway.stop()
    await gateway.run()
    assert closed == ["channels", "bus"]


async def test_a_fault_in_the_background_ends_the_process_after_closing(
    made: GatewaySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(self: Bootstrapper) -> None:
        raise ValueError("a bug")

    closed = closing(monkeypatch)
    monkeypatch.setattr(Bootstrapper, "run", crash)
    with pytest.raises(ExceptionGroup) as caught:
        await (await build(made)).run()
    assert caught.group_contains(ValueError, match="a bug")
    assert closed == ["channels", "bus"]
