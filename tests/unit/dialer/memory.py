"""The dialer's tables in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.common.clock import boot_seconds
from services.common.errors import NotFound
from services.common.paging import Page
from services.dialer.domain.calls import Activeflow, ActiveflowFact, Call, CallFact, DialerEntry
from services.dialer.domain.campaigns import PacingDecided
from services.dialer.domain.slots import LEASE_SECONDS, MOST_SLOTS, SlotHolder, SlotRenewal
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


@dataclass
class _Lease:
    dialer_id: str
    instance: UUID
    is_extra: bool
    until: float


@dataclass
class MemorySlots:
    """ports.Slots; `clock` is the database's."""

    clock: Callable[[], float] = boot_seconds
    leases: dict[int, _Lease] = field(default_factory=dict)

    async def acquire(self, dialer_id: str, instance: UUID) -> int | None:
        own = [
            slot
            for slot, lease in self.leases.items()
            if lease.dialer_id == dialer_id and not lease.is_extra
        ]
        free = [slot for slot in range(1, MOST_SLOTS + 1) if not self._is_living(slot)]
        candidates = sorted(own) or free
        if not candidates:
            return None
        self._lease(candidates[0], dialer_id, instance, extra=False)
        return candidates[0]

    async def take(self, slot: int, dialer_id: str, instance: UUID) -> bool:
        if self._is_living(slot) and self.leases[slot].dialer_id != dialer_id:
            return False
        self._lease(slot, dialer_id, instance, extra=True)
        return True

    async def renew(self, instance: UUID) -> SlotRenewal:
        held = [slot for slot, lease in self.leases.items() if lease.instance == instance]
        for slot in held:
            self.leases[slot].until = self.clock() + LEASE_SECONDS
        living = {lease.dialer_id for slot, lease in self.leases.items() if self._is_living(slot)}
        return SlotRenewal(frozenset(held), len(living))

    async def release(self, instance: UUID, slot: int | None = None) -> None:
        for number, lease in self.leases.items():
            if lease.instance == instance and slot in (None, number):
                lease.until, lease.instance = self.clock(), UUID(int=0)

    async def holders(self) -> list[SlotHolder]:
        return [
            SlotHolder(slot, lease.dialer_id, self._is_living(slot))
            for slot, lease in sorted(self.leases.items())
        ]

    def _is_living(self, slot: int) -> bool:
        return slot in self.leases and self.leases[slot].until > self.clock()

    def _lease(self, slot: int, dialer_id: str, instance: UUID, *, extra: bool) -> None:
        until = self.clock() + LEASE_SECONDS
        self.leases[slot] = _Lease(dialer_id, instance, extra, until)
