"""Campaigns as a dialer sees them: leases, plans, claimed targets, opened attempts and reports.

Durations are milliseconds of domain time unless a name says real.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.common.actions import Action
from services.common.address import Address

OPEN_BATCH = 1000
"""Most targets in one claim, attempts in one open and reports in one batch."""


class LeaseStatus(StrEnum):
    """Status of a leased campaign; one in `stop` is never leased."""

    RUN = "run"
    STOPPING = "stopping"


class StopMode(StrEnum):
    """What `stopping` does to answered calls; ringing ones end at once in both modes."""

    HANGUP = "hangup"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True)
class CampaignInfo:
    """What dialing and flow variables need to know of a campaign."""

    id: UUID
    customer_id: UUID
    name: str
    detail: str
    service_level: int  # percent, 1..1000
    continues: bool  # end_handle is `continue`: wait for new targets at the end
    outdial_id: UUID
    queue_id: UUID | None
    flow_id: UUID | None
    max_conversation_ms: int
    agent_wait_limit_ms: int = 0  # 0: none
    abandonment_actions: tuple[Action, ...] = ()
    on_complete_flow_id: UUID | None = None  # starts when an attempt's flow has ended


@dataclass(frozen=True, slots=True)
class DialPlan:
    """The outplan as it is now; a change applies from the next claim."""

    outplan_id: UUID
    source: Address | None
    dial_timeout_ms: int
    try_interval_ms: int
    max_try_counts: tuple[int, ...]  # five
    calls_per_second: float  # of domain time
    max_concurrent: int
    # Of each call, with references to its variables.
    headers: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Definition:
    """Everything that says how a campaign is run; `actions` end with queue_join if it has a queue."""

    revision: str
    campaign: CampaignInfo
    plan: DialPlan
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Lease:
    """Leave to run one campaign."""

    campaign_id: UUID
    run_number: int
    fencing_token: int
    status: LeaseStatus
    stop_mode: StopMode
    expires_in_ms: int  # real
    definition_revision: str
    definition: Definition | None  # None when the holder knows this revision
    is_new: bool


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease the dialer says it holds."""

    campaign_id: UUID
    fencing_token: int
    definition_revision: str


@dataclass(frozen=True, slots=True)
class RunToken:
    """What Open, ListOpen and FinishRun must quote: the run, and the right to act for it."""

    campaign_id: UUID
    run_number: int
    fencing_token: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Counters of an outdial in one snapshot."""

    idle: int
    progressing: int
    is_reopening: bool
    next_due: datetime | None

    @property
    def is_exhausted(self) -> bool:
        """Nothing is left to dial and nothing may come back to be dialed."""
        return self.idle == 0 and self.progressing == 0 and not self.is_reopening


@dataclass(frozen=True, slots=True)
class ClaimedTarget:
    """A target taken for one attempt."""

    attempt_id: UUID
    target_id: UUID
    name: str
    detail: str
    data: str
    destination: Address
    destination_index: int
    try_count: int
    outdial_name: str = ""
    outdial_data: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a claim: what was taken, what was found exhausted, and the progress after it."""

    targets: tuple[ClaimedTarget, ...]
    exhausted_count: int
    progress: Progress


class Verdict(StrEnum):
    """What opening an attempt came to."""

    OPENED = "opened"  # place it
    REFUSED = "refused"  # give the claim back
    DEAD = "dead"  # never place it, never give it back


@dataclass(frozen=True, slots=True)
class Opening:
    """The verdict on one attempt."""

    attempt_id: UUID
    verdict: Verdict
    activeflow_id: UUID | None


@dataclass(frozen=True, slots=True)
class OpenAnswer:
    """Verdicts in the order asked; placing must begin within so many real ms of the FIRST asking."""

    openings: tuple[Opening, ...]
    place_within_ms: int  # real


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt of a campaign that is not done, as the campaign service lists it."""

    id: UUID
    target_id: UUID
    outdial_id: UUID
    activeflow_id: UUID
    is_answered: bool
    source: Address | None
    destination: Address
    destination_index: int
    try_count: int
    run_number: int
    tm_create: datetime
    tm_answer: datetime | None
    tm_connect: datetime | None
    tm_deadline: datetime
    place_within_ms: int  # real; 0 or less: it can no longer be placed


class ReportKind(StrEnum):
    """What a report tells."""

    ANSWERED = "answered"
    CONNECTED = "connected"
    ABANDONED = "abandoned"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """One fact about one attempt."""

    attempt_id: UUID
    kind: ReportKind
    tm: datetime
    hangup_reason: str = ""
    hangup_detail: str = ""
    is_refunded: bool = False
    is_abandoned: bool = False
    tm_answer: datetime | None = None
    variables: Mapping[str, str] = field(default_factory=dict)  # set by the flow; with ENDED
    digits: str = ""  # keys pressed last; with ENDED
    answer_to_agent_ms: int | None = None  # with CONNECTED
    is_machine: bool = False  # with ANSWERED and ENDED


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What flow variables tell of the person called.

    Not `is_known` after a take-over while the outdial service does not answer: then the texts are empty.
    """

    outdial_id: UUID
    target_id: UUID | None = None
    name: str = ""
    detail: str = ""
    data: str = ""
    outdial_name: str = ""
    outdial_data: str = ""
    is_known: bool = True


@dataclass(slots=True)
class Counts:
    """Attempts in flight of one campaign, by what they mean for pacing."""

    dialing: int = 0  # not answered yet
    waiting: int = 0  # answered, wanting an agent, none reserved yet
    talking: int = 0  # with an agent, or in a flow without a queue

    @property
    def in_flight(self) -> int:
        """All of them."""
        return self.dialing + self.waiting + self.talking


@dataclass(frozen=True, slots=True)
class PacingDecided:
    """The fact pacing.decided; `available` is None without a queue."""

    customer_id: UUID
    campaign_id: UUID
    run_number: int
    queue_id: UUID | None
    available: int | None
    counts: Counts
    service_level: int
    calls_per_second: float
    max_concurrent: int
    wanted: int
    started: int
    bound: str
    tm: datetime = field(compare=False)
