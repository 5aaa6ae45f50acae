"""What cannot be stored fails by itself: it holds up nobody else, and its call ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

import pytest

from services.common.clock import ManualClock
from services.common.errors import Unavailable
from services.common.ids import new_id
from services.dialer.conversations.flow_run import restore
from services.dialer.conversations.journal import Journal, halves
from services.dialer.domain.calls import Activeflow, ReferenceType, StepOutcome
from services.dialer.domain.cursors import Cursor
from services.dialer.ports import Batch
from tests.unit.dialer.conftest import Stages
from tests.unit.dialer.fakes import START, action
from tests.unit.dialer.memory import MemoryRecords
from tests.unit.dialer.stage import Stage

TALK = action("talk", text="hello")


@dataclass
class Refusing(MemoryRecords):
    """Tables that cannot hold an execution with actions, and are now and then away."""

    away: int = 0

    async def save(self, batch: Batch) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("away")
        if any(each.actions for each in batch.activeflows):
            raise TypeError("Integer exceeds 64-bit range")
        await super().save(batch)


def flow(**changes: object) -> Activeflow:
    values: dict[str, object] = {
        "id": new_id(),
        "customer_id": new_id(),
        "campaign_id": None,
        "flow_id": None,
        "reference_type": ReferenceType.API,
        "reference_id": None,
        "is_ended": False,
        "actions": (),
        "cursor": Cursor(),
        "history": (),
        "variables": {},
        "dialer_id": "dialer-1",
        "revision": 1,
        "tm_create": START,
        "tm_update": START,
    }
    return Activeflow(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [2, 3, 7])
def test_halves_are_never_empty(size: int) -> None:
    batch = Batch(activeflows=[flow()], facts=[object()] * (size - 1))  # type: ignore[list-item]
    while len(batch) > 1:
        one, other = halves(batch)
        assert len(one)
        assert len(other)
        assert len(one) + len(other) == len(batch)
        batch = other


async def test_an_unstorable_execution_is_settled_as_failed_and_its_call_ends(
    stage: Stages,
) -> None:
    async with stage(["+19990000001"], actions=(TALK,), prepare=_refuse) as s:
        (call_id,) = s.calls
        await s.answer(call_id)
        (stored,) = s.records.flow_rows.values()
        assert stored.is_ended
        assert stored.history[-1].outcome is StepOutcome.FAILED
        assert "cannot be stored: TypeError: Integer exceeds 64-bit" in stored.history[-1].detail
        assert s.records.flow_events() == [("created", False), ("updated", True)]
        assert "hangup" in s.telephony.of(call_id)
        await s.end(call_id)
        assert [each.hangup_reason for each in s.endings()] == ["normal"]


async def test_the_others_of_its_batch_are_stored() -> None:
    records, clock = Refusing(away=1), ManualClock(START)
    refused: list[UUID] = []
    journal = Journal(records, clock, on_refused=refused.append)
    flows = [flow(actions=(TALK,) if number == 3 else ()) for number in range(9)]
    for each in flows:
        journal.flow(restore(each, "dialer-1"), is_new=True)
    running = asyncio.create_task(journal.run())
    for _ in range(20):
        await clock.advance_real(0.5)
    await journal.flushed()
    running.cancel()
    assert refused == [flows[3].id]
    assert {each.id for each in records.flow_rows.values()} == {each.id for each in flows}
    assert [each.id for each in records.flow_rows.values() if each.is_ended] == [flows[3].id]


def _refuse(s: Stage) -> None:
    s.records = Refusing()
