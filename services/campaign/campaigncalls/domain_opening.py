"""What is said when attempts are opened and when their fate is asked for. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.campaign.campaigncalls.domain import CallStatus, Campaigncall, Settlement
from services.common.address import Address


@dataclass(frozen=True, slots=True)
class Opener:
    """Who asks to open attempts: the dialer, and the lease it says it holds."""

    dialer_id: str
    campaign_id: UUID
    run_number: int
    fencing_token: int


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to open attempts of a campaign, with what they copy from it."""

    customer_id: UUID
    outplan_id: UUID
    outdial_id: UUID
    queue_id: UUID | None
    flow_id: UUID | None
    source: Address | None
    dial_timeout_ms: int


@dataclass(frozen=True, slots=True)
class Present:
    """An attempt that was there before. `place_within_ms` is real time left, negative when over."""

    campaign_id: UUID
    status: CallStatus
    fencing_token: int
    activeflow_id: UUID
    place_within_ms: int


@dataclass(frozen=True, slots=True)
class OpenCall:
    """An attempt in flight. `place_within_ms` is real time left, negative when over."""

    call: Campaigncall
    place_within_ms: int


class Verdict(StrEnum):
    """May the attempt be placed."""

    OPENED = "opened"
    REFUSED = "refused"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A claimed target about to be dialed."""

    id: UUID
    outdial_target_id: UUID
    destination: Address
    destination_index: int
    try_count: int


@dataclass(frozen=True, slots=True)
class Opened:
    """The verdict on each attempt asked for, in order, with the activeflow of those opened.

    `place_within_ms`: real time for placing, counted from before the request was sent.
    """

    verdicts: list[tuple[UUID, Verdict, UUID | None]]
    place_within_ms: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of a claimed attempt; the settlement when it is done, None while in flight."""

    id: UUID
    is_known: bool
    settlement: Settlement | None
