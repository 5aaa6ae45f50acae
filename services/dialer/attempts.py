"""The attempts this dialer has in flight, and their counts per campaign kept by deltas."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.common.actions import Action
from services.common.address import Address
from services.dialer.domain.calls import Call
from services.dialer.domain.campaigns import CampaignInfo, Counts, StopMode, TargetFacts


class Bucket(StrEnum):
    """What an attempt means for pacing; the names of Counts."""

    DIALING = "dialing"
    WAITING = "waiting"
    TALKING = "talking"


@dataclass(slots=True)
class Attempt:
    """One attempt in flight. `id` is also its call's and its channel's."""

    id: UUID
    campaign: CampaignInfo
    actions: tuple[Action, ...]
    target: TargetFacts
    source: Address | None
    destination: Address
    destination_index: int
    try_count: int
    activeflow_id: UUID
    tm_create: datetime
    deadline: datetime  # domain; when nothing was heard by then it is looked for
    tm_answer: datetime | None = None
    tm_connect: datetime | None = None  # as the campaign service has it
    is_machine: bool = False
    takes_machines: bool = (
        False  # its flow decides what becomes of a call that a machine has answered
    )
    has_agent: bool = False  # an agent is reserved, ringing or talking
    has_left_queue: bool = False  # its person was abandoned and has left the queue
    stop: StopMode | None = None  # its campaign is stopping
    is_hangup_asked: bool = False
    is_canceled_by_stop: bool = False
    call: Call | None = None
    counted: Bucket | None = None  # owned by Attempts

    @property
    def is_answered(self) -> bool:
        """Whether somebody or something took the phone."""
        return self.tm_answer is not None

    @property
    def bucket(self) -> Bucket:
        """What it counts as now."""
        if not self.is_answered:
            return Bucket.DIALING
        if self.campaign.queue_id is not None and not self.has_agent and not self.has_left_queue:
            return Bucket.WAITING
        return Bucket.TALKING


class Attempts:
    """The table. Call `changed` after touching what `Attempt.bucket` is made of."""

    def __init__(self) -> None:
        self._by_id: dict[UUID, Attempt] = {}
        self._by_campaign: dict[UUID, dict[UUID, Attempt]] = {}
        self._counts: dict[UUID, Counts] = {}
        self._watchers: list[set[UUID]] = []

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Attempt]:
        return iter(list(self._by_id.values()))

    def get(self, attempt_id: UUID) -> Attempt | None:
        """The attempt with this id, if it is in flight here."""
        return self._by_id.get(attempt_id)

    def of(self, campaign_id: UUID) -> Collection[Attempt]:
        """A campaign's attempts; a copy, safe to iterate over while they end."""
        return list(self._by_campaign.get(campaign_id, {}).values())

    def counts(self, campaign_id: UUID) -> Counts:
        """A campaign's counts, live: copy them to keep them."""
        return self._counts.get(campaign_id) or Counts()

    def add(self, attempt: Attempt) -> None:
        """Begin to hold it."""
        campaign_id = attempt.campaign.id
        self._by_id[attempt.id] = attempt
        self._by_campaign.setdefault(campaign_id, {})[attempt.id] = attempt
        self._counts.setdefault(campaign_id, Counts())
        self.changed(attempt)

    def changed(self, attempt: Attempt) -> None:
        """Count it anew."""
        if self._by_id.get(attempt.id) is attempt and attempt.counted is not attempt.bucket:
            self._count(attempt, attempt.bucket)

    def remove(self, attempt: Attempt) -> None:
        """Stop holding it."""
        if self._by_id.pop(attempt.id, None) is None:
            return
        self._count(attempt, None)
        campaign_id = attempt.campaign.id
        of_campaign = self._by_campaign[campaign_id]
        del of_campaign[attempt.id]
        if not of_campaign:
            del self._by_campaign[campaign_id], self._counts[campaign_id]
        for watcher in self._watchers:
            watcher.add(attempt.id)

    @contextmanager
    def watching_removals(self) -> Iterator[set[UUID]]:
        """A set that collects the ids removed while the block runs."""
        removed: set[UUID] = set()
        self._watchers.append(removed)
        try:
            yield removed
        finally:
            # By identity: two equal sets may be watching.
            self._watchers = [each for each in self._watchers if each is not removed]

    def _count(self, attempt: Attempt, bucket: Bucket | None) -> None:
        counts = self._counts[attempt.campaign.id]
        for where, delta in ((attempt.counted, -1), (bucket, 1)):
            if where is Bucket.DIALING:
                counts.dialing += delta
            elif where is Bucket.WAITING:
                counts.waiting += delta
            elif where is Bucket.TALKING:
                counts.talking += delta
        attempt.counted = bucket
