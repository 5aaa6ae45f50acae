"""The dialer's tables in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.common.errors import NotFound
from services.common.paging import Page
from services.dialer.domain.calls import Activeflow, ActiveflowFact, Call, CallFact, DialerEntry
from services.dialer.domain.campaigns import PacingDecided
from services.dialer.ports import Fact
from tests.unit.dialer.fakes import START, Faults


@dataclass
class MemoryRecords:
    """ports.Records."""

    faults: Faults = field(default_factory=Faults)
    call_rows: dict[UUID, Call] = field(default_factory=dict)
    flow_rows: dict[UUID, Activeflow] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)

    async def save(
        self, calls: Sequence[Call], activeflows: Sequence[Activeflow], facts: Sequence[Fact]
    ) -> None:
        await self.faults.enter("save")
        for call in calls:
            known = self.call_rows.get(call.id)
            if known is None or (known.revision < call.revision and not known.is_over):
                self.call_rows[call.id] = call
        for flow in activeflows:
            stored = self.flow_rows.get(flow.id)
            if stored is None or (stored.revision < flow.revision and not stored.is_ended):
                self.flow_rows[flow.id] = flow
        self.facts += facts

    async def call(self, call_id: UUID) -> Call | None:
        return self.call_rows.get(call_id)

    async def calls(self, customer_id: UUID, page: Page) -> list[Call]:
        mine = [each for each in self.call_rows.values() if each.customer_id == customer_id]
        return sorted(mine, key=lambda each: each.tm_create, reverse=True)[: page.size + 1]

    async def activeflow(self, activeflow_id: UUID) -> Activeflow | None:
        return self.flow_rows.get(activeflow_id)

    async def activeflows(self, customer_id: UUID, page: Page) -> list[Activeflow]:
        mine = [
            each
            for each in self.flow_rows.values()
            if each.customer_id == customer_id and each.tm_delete is None
        ]
        return sorted(mine, key=lambda each: each.tm_create, reverse=True)[: page.size + 1]

    async def delete_activeflow(self, activeflow_id: UUID) -> Activeflow:
        row = self.flow_rows.get(activeflow_id)
        if row is None:
            raise NotFound("no activeflow", reason="ACTIVEFLOW_NOT_FOUND")
        if row.tm_delete is None:
            row = replace(row, tm_delete=START, revision=row.revision + 1)
            self.flow_rows[activeflow_id] = row
        return row

    async def unfinished(self, campaign_id: UUID) -> list[tuple[Call, Activeflow | None]]:
        return [
            (call, self.flow_rows.get(call.activeflow_id or call.id))
            for call in self.call_rows.values()
            if call.campaign_id == campaign_id and not call.is_over
        ]

    async def unheld(self, others: Collection[str]) -> list[UUID]:
        calls = {
            call.id
            for call in self.call_rows.values()
            if not call.is_over and call.dialer_id not in others
        }
        flows = {
            flow.reference_id
            for flow in self.flow_rows.values()
            if not flow.is_ended and flow.reference_id and flow.dialer_id not in others
        }
        return list(calls | flows)

    async def of_calls(self, call_ids: Collection[UUID]) -> tuple[list[Call], list[Activeflow]]:
        calls = [call for call in self.call_rows.values() if call.id in call_ids]
        flows = [
            flow
            for flow in self.flow_rows.values()
            if flow.reference_id in call_ids and not flow.is_ended
        ]
        return calls, flows

    def told(self, call_id: UUID) -> list[str]:
        """Events of one call, in order."""
        return [
            fact.event
            for fact in self.facts
            if isinstance(fact, CallFact) and fact.call.id == call_id
        ]

    def flow_events(self) -> list[tuple[str, bool]]:
        return [
            (fact.event, fact.activeflow.is_ended)
            for fact in self.facts
            if isinstance(fact, ActiveflowFact)
        ]

    def pacings(self) -> list[PacingDecided]:
        return [fact for fact in self.facts if isinstance(fact, PacingDecided)]


@dataclass
class MemoryRegistry:
    """ports.Registry."""

    entries: dict[str, DialerEntry] = field(default_factory=dict)

    async def beat(self, entry: DialerEntry) -> None:
        self.entries[entry.dialer_id] = entry

    async def leave(self, dialer_id: str) -> None:
        self.entries.pop(dialer_id, None)

    async def living(self) -> list[DialerEntry]:
        return list(self.entries.values())
