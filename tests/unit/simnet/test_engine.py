from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import cast

import pytest

from simnet.calls import Event, Ringing
from simnet.clock import SteppedClock
from simnet.engine import Engine, Session
from simnet.ledger import Ledger
from tests.unit.simnet.world import START_US, World, order


class Notebook:
    """A ledger in memory, which may be full."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.is_full = False

    def write(self, lines: Collection[str]) -> None:
        if self.is_full:
            raise OSError("no space left")
        self.lines += lines


def make_engine(notebook: Notebook) -> Engine:
    world = World()
    return Engine(
        network=world.network,
        journal=world.journal,
        ledger=cast(Ledger, notebook),
        clock=SteppedClock(START_US),
        gather_seconds=0.0,
        retention_seconds=0,
    )


def place(engine: Engine, session: Session, number: int) -> None:
    engine.command(
        session, lambda now, boottime: engine.network.place("d1", order(number), now, boottime)
    )


async def test_what_is_told_has_been_written_before() -> None:
    notebook = Notebook()
    engine = make_engine(notebook)
    session = Session("d1", "i1")
    engine.attach(session)
    runner = asyncio.create_task(engine.run())
    place(engine, session, 1)
    (event,) = await session.take()
    assert isinstance(event, Event)
    assert event.what == Ringing()
    assert '"event":"ring"' in notebook.lines[0]
    runner.cancel()


async def test_a_full_disk_ends_the_network_and_nothing_unwritten_is_told() -> None:
    notebook = Notebook()
    engine = make_engine(notebook)
    session = Session("d1", "i1")
    engine.attach(session)
    runner = asyncio.create_task(engine.run())
    notebook.is_full = True
    place(engine, session, 1)
    with pytest.raises(OSError, match="no space left"):
        await runner
    session.close()
    assert await session.take() == []


async def test_a_replaced_dialers_commands_are_not_heard() -> None:
    engine = make_engine(Notebook())
    old, new = Session("d1", "i1"), Session("d1", "i2")
    engine.attach(old)
    engine.attach(new)
    place(engine, old, 1)
    assert not engine.network.live
    assert await old.take() == []
    place(engine, new, 1)
    assert len(engine.network.live) == 1
