"""The dialer's tables in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.common.clock import boot_seconds
from services.common.errors import FailedPrecondition, NotFound
from services.common.paging import Page
from services.dialer.domain.calls import Activeflow, ActiveflowFact, Call, CallFact, DialerEntry
from services.dialer.domain.campaigns import PacingDecided
from services.dialer.domain.recordings import Recording, RecordingFact, RecordingStatus
from services.dialer.domain.slots import LEASE_SECONDS, MOST_SLOTS, SlotHolder, SlotRenewal
from services.dialer.domain.webhooks import TakenWebhook, Webhook
from services.dialer.ports import Batch, Fact
from tests.unit.dialer.fakes import START, Faults


@dataclass
class MemoryRecordings:
    """ports.Recordings."""

    rows: dict[UUID, Recording] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    now: datetime = START

    def keep(self, recording: Recording) -> None:
        known = self.rows.get(recording.id)
        is_final = known is not None and (
            known.status is RecordingStatus.ENDED or known.tm_delete is not None
        )
        if known is None or (known.revision < recording.revision and not is_final):
            self.rows[recording.id] = recording

    async def recording(self, recording_id: UUID) -> Recording | None:
        return self.rows.get(recording_id)

    async def recordings(
        self, customer_id: UUID, page: Page, *, call_id: UUID | None, campaign_id: UUID | None
    ) -> list[Recording]:
        found = [
            each
            for each in self.rows.values()
            if each.customer_id == customer_id
            and each.tm_delete is None
            and call_id in (None, each.call_id)
            and campaign_id in (None, each.campaign_id)
        ]
        found.sort(key=lambda each: (each.tm_create, each.id), reverse=True)
        if page.before is not None:
            before = page.before.key
            found = [each for each in found if (each.tm_create, each.id) < before]
        return found[: page.size + 1]

    async def delete_recording(self, recording_id: UUID) -> Recording:
        found = self.rows.get(recording_id)
        if found is None:
            raise NotFound("no recording", reason="RECORDING_NOT_FOUND")
        if found.tm_delete is None and not found.is_over:
            raise FailedPrecondition("it is on")
        if found.tm_delete is None:
            self._mark(found)
        return self.rows[recording_id]

    async def expire(self, before: datetime, limit: int) -> int:
        old = [
            each
            for each in self.rows.values()
            if each.is_over and each.tm_delete is None and each.tm_end and each.tm_end < before
        ][:limit]
        for each in old:
            self._mark(each)
        return len(old)

    async def files_to_delete(self, limit: int, behind: Recording | None) -> list[Recording]:
        left = [(each.tm_delete, each.id, each) for each in self.rows.values() if each.location]
        waiting = sorted((tm, key, row) for tm, key, row in left if tm is not None)
        if behind is not None:
            waiting = [each for each in waiting if each[:2] > (behind.tm_delete, behind.id)]
        return [row for _, _, row in waiting][:limit]

    async def file_deleted(self, recording_ids: Sequence[UUID]) -> None:
        for each in recording_ids:
            if self.rows[each].tm_delete is not None:
                self.rows[each] = replace(self.rows[each], location="")

    def _mark(self, recording: Recording) -> None:
        deleted = replace(
            recording, tm_delete=self.now, tm_update=self.now, revision=recording.revision + 1
        )
        self.rows[recording.id] = deleted
        self.facts.append(RecordingFact("deleted", deleted))


@dataclass
class MemoryWebhooks:
    """ports.Webhooks; due times are counts of real seconds from the beginning."""

    rows: dict[UUID, tuple[Webhook, int]] = field(default_factory=dict)
    hidden: dict[UUID, float] = field(default_factory=dict)
    postponed: list[float] = field(default_factory=list)

    def keep(self, webhook: Webhook) -> None:
        self.rows.setdefault(webhook.id, (webhook, 0))

    async def take(
        self, limit: int, for_seconds: float, besides: Collection[UUID]
    ) -> list[TakenWebhook]:
        due = [
            key
            for key, (webhook, _) in self.rows.items()
            if key not in self.hidden and webhook.customer_id not in besides
        ][:limit]
        found = []
        for key in due:
            webhook, tries = self.rows[key]
            self.rows[key] = (webhook, tries + 1)
            self.hidden[key] = for_seconds
            found.append(TakenWebhook(webhook, tries + 1))
        return found

    async def done(self, webhook_ids: Sequence[UUID]) -> None:
        for key in webhook_ids:
            self.rows.pop(key, None)
            self.hidden.pop(key, None)

    async def postpone(self, webhook_id: UUID, seconds: float) -> None:
        self.postponed.append(seconds)
        self.hidden[webhook_id] = seconds

    def pass_time(self) -> None:
        """Everything is due again."""
        self.hidden.clear()


@dataclass
class MemoryFiles:
    """ports.RecordingFiles."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def size(self, location: str) -> int | None:
        found = self.files.get(location)
        return None if found is None else len(found)

    async def read(self, location: str, offset: int, length: int) -> AsyncIterator[bytes]:
        yield self.files[location][offset : offset + length]

    async def delete(self, location: str) -> bool:
        return self.files.pop(location, None) is not None


@dataclass
class MemoryRecords:
    """ports.Records."""

    faults: Faults = field(default_factory=Faults)
    call_rows: dict[UUID, Call] = field(default_factory=dict)
    flow_rows: dict[UUID, Activeflow] = field(default_factory=dict)
    recordings: MemoryRecordings = field(default_factory=MemoryRecordings)
    webhooks: MemoryWebhooks = field(default_factory=MemoryWebhooks)
    facts: list[Fact] = field(default_factory=list)

    async def save(self, batch: Batch) -> None:
        await self.faults.enter("save")
        for call in batch.calls:
            known = self.call_rows.get(call.id)
            if known is None or (known.revision < call.revision and not known.is_over):
                self.call_rows[call.id] = call
        for flow in batch.activeflows:
            stored = self.flow_rows.get(flow.id)
            if stored is None or (stored.revision < flow.revision and not stored.is_ended):
                self.flow_rows[flow.id] = flow
        for recording in batch.recordings:
            self.recordings.keep(recording)
        for webhook in batch.webhooks:
            self.webhooks.keep(webhook)
        self.facts += batch.facts

    async def create(self, batch: Batch) -> bool:
        if batch.activeflows[0].id in self.flow_rows:
            return False
        await self.save(batch)
        return True

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

    async def unfinished(
        self, campaign_id: UUID, call_ids: Collection[UUID] = ()
    ) -> list[tuple[Call, Activeflow | None]]:
        return [
            (call, self.flow_rows.get(call.activeflow_id or call.id))
            for call in self.call_rows.values()
            if (call.campaign_id == campaign_id and not call.is_over) or call.id in call_ids
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

    async def take_without_call(
        self, dialer_id: str, others: Collection[str], besides: Collection[UUID]
    ) -> list[Activeflow]:
        found = [
            replace(flow, dialer_id=dialer_id, revision=flow.revision + 1)
            for flow in self.flow_rows.values()
            if not flow.is_ended
            and flow.reference_id is None
            and flow.dialer_id not in others
            and flow.id not in besides
        ]
        self.flow_rows |= {flow.id: flow for flow in found}
        return found

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
