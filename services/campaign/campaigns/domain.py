"""Campaigns: their definitions, and what may be asked of one. What moves a run is in domain_runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.campaign.campaigncalls.domain_waits import Waits
from services.common import ownership
from services.common.actions import Action, validate_actions
from services.common.address import Address
from services.common.errors import FailedPrecondition, InvalidArgument, invalid
from services.common.limits import AGENT_WAIT_MS, SERVICE_LEVEL, check_range
from services.common.texts import check_texts

CAMPAIGN_NOT_FOUND = "CAMPAIGN_NOT_FOUND"
OUTDIAL_IN_USE = "OUTDIAL_IN_USE"
DEFAULT_SERVICE_LEVEL = 100
DEFAULT_AGENT_WAIT_MS = 2_000


class CampaignType(StrEnum):
    """What an attempt is."""

    CALL = "call"
    FLOW = "flow"
    MESSAGE = "message"
    EMAIL = "email"


class Status(StrEnum):
    """May attempts be placed."""

    STOP = "stop"
    RUN = "run"
    STOPPING = "stopping"


class State(StrEnum):
    """The status in the words of the guide's prose."""

    STOP = "stop"
    RUNNING = "running"
    STOPPING = "stopping"
    FINISHED = "finished"


class EndHandle(StrEnum):
    """What happens when no target is left."""

    STOP = "stop"
    CONTINUE = "continue"


class StopMode(StrEnum):
    """What happens to answered calls at a stop; ringing attempts always end at once."""

    NONE = ""
    HANGUP = "hangup"
    DRAIN = "drain"


class StopReason(StrEnum):
    """Why a campaign stands still."""

    NONE = ""
    USER = "user"
    FINISHED = "finished"
    ERROR = "error"
    CHAINED = "chained"


STARTABLE_TYPES = frozenset({CampaignType.CALL})
"""Types whose attempts can be made."""


@dataclass(frozen=True, slots=True)
class Run:
    """Where a campaign's latest run stands.

    `open_count` counts attempts in flight, `placed_count` those of this run that were not given back.
    `idle_chain` holds the campaigns that ended before this one, chained, without placing any.
    """

    status: Status = Status.STOP
    number: int = 0
    stop_mode: StopMode = StopMode.NONE
    stop_reason: StopReason = StopReason.NONE
    stop_detail: str = ""
    open_count: int = 0
    placed_count: int = 0
    idle_chain: tuple[UUID, ...] = ()
    fencing_token: int = 0
    tm_start: datetime | None = None
    tm_end: datetime | None = None

    @property
    def state(self) -> State:
        """The status, told apart into finished and otherwise stopped."""
        if self.status is Status.RUN:
            return State.RUNNING
        if self.status is Status.STOPPING:
            return State.STOPPING
        ended = self.stop_reason in (StopReason.FINISHED, StopReason.CHAINED)
        return State.FINISHED if ended else State.STOP


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign: its definition, and its latest run. `revision` counts every change of both."""

    id: UUID
    customer_id: UUID
    type: CampaignType
    name: str
    detail: str
    service_level: int
    end_handle: EndHandle
    actions: tuple[Action, ...]
    flow_id: UUID | None
    outplan_id: UUID | None
    outdial_id: UUID | None
    queue_id: UUID | None
    next_campaign_id: UUID | None
    source: Address | None
    agent_wait_limit: int  # milliseconds of domain time, 0: none
    abandonment_actions: tuple[Action, ...]
    revision: int
    tm_create: datetime
    tm_update: datetime | None = None
    tm_delete: datetime | None = None
    run: Run = field(default_factory=Run)

    @property
    def status(self) -> Status:
        """Status of the latest run."""
        return self.run.status


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """What a create request says; None in a figure means its default."""

    id: UUID | None
    digest: str
    type: CampaignType
    name: str
    detail: str
    service_level: int | None
    end_handle: EndHandle
    actions: tuple[Action, ...]
    flow_id: UUID | None
    outplan_id: UUID | None
    outdial_id: UUID | None
    queue_id: UUID | None
    next_campaign_id: UUID | None
    source: Address | None
    agent_wait_limit: int | None = None
    abandonment_actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignChange:
    """What an update request says.

    None leaves a member as it is. `references` holds the ones to set, None in it clears one; the keys
    are flow_id, outplan_id, outdial_id, queue_id, next_campaign_id. `source` counts with `sets_source`.
    """

    name: str | None = None
    detail: str | None = None
    type: CampaignType | None = None
    service_level: int | None = None
    end_handle: EndHandle | None = None
    actions: tuple[Action, ...] | None = None
    references: dict[str, UUID | None] = field(default_factory=dict)
    sets_source: bool = False
    source: Address | None = None
    agent_wait_limit: int | None = None
    abandonment_actions: tuple[Action, ...] | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """The status a request asks for: run or stop. `mode` NONE leaves the mode to the rule."""

    status: Status
    mode: StopMode = StopMode.NONE


@dataclass(frozen=True, slots=True)
class CampaignStats:
    """Counters over all runs, kept by deltas. `talk_ms` is domain time."""

    campaign: Campaign
    attempt_count: int
    dialing_count: int
    progressing_count: int
    success_count: int
    fail_count: int
    answered_count: int
    connected_count: int
    abandoned_count: int
    refunded_count: int
    person_count: int
    waits: Waits
    hangup_reason_counts: dict[str, int]
    talk_ms: int
    lease_holder: str

    @property
    def done_count(self) -> int:
        """Attempts that have ended."""
        return self.success_count + self.fail_count

    @property
    def abandoned_rate(self) -> float:
        """How many of the persons who answered were abandoned, 0 to 1."""
        return self.abandoned_count / self.person_count if self.person_count else 0.0


def create(draft: CampaignDraft, campaign_id: UUID, customer_id: UUID, now: datetime) -> Campaign:
    """The campaign asked for, in status stop; InvalidArgument names a bad member."""
    check_texts(name=draft.name, detail=draft.detail)
    level = DEFAULT_SERVICE_LEVEL if draft.service_level is None else draft.service_level
    limit = DEFAULT_AGENT_WAIT_MS if draft.agent_wait_limit is None else draft.agent_wait_limit
    return checked(
        Campaign(
            id=campaign_id,
            customer_id=customer_id,
            type=draft.type,
            name=draft.name,
            detail=draft.detail,
            service_level=level,
            end_handle=draft.end_handle,
            actions=tuple(validate_actions(draft.actions)),
            flow_id=draft.flow_id,
            outplan_id=draft.outplan_id,
            outdial_id=draft.outdial_id,
            queue_id=draft.queue_id,
            next_campaign_id=draft.next_campaign_id,
            source=draft.source,
            agent_wait_limit=limit,
            abandonment_actions=_abandonment(draft.abandonment_actions),
            revision=1,
            tm_create=now,
        )
    )


def change(campaign: Campaign, wanted: CampaignChange, now: datetime) -> Campaign:
    """The campaign with the members given set, or the very same one if that changes nothing.

    InvalidArgument names a bad member; FailedPrecondition when the campaign is deleted, or when its
    outdial, outplan, queue or type would change before it has stopped.
    """
    refuse_deleted(campaign)
    check_texts(name=wanted.name, detail=wanted.detail)
    actions, abandonment = wanted.actions, wanted.abandonment_actions
    limit = wanted.agent_wait_limit
    changed = replace(
        campaign,
        name=campaign.name if wanted.name is None else wanted.name,
        detail=campaign.detail if wanted.detail is None else wanted.detail,
        type=wanted.type or campaign.type,
        service_level=(
            campaign.service_level if wanted.service_level is None else wanted.service_level
        ),
        end_handle=wanted.end_handle or campaign.end_handle,
        actions=campaign.actions if actions is None else tuple(validate_actions(actions)),
        source=wanted.source if wanted.sets_source else campaign.source,
        agent_wait_limit=campaign.agent_wait_limit if limit is None else limit,
        abandonment_actions=(
            campaign.abandonment_actions if abandonment is None else _abandonment(abandonment)
        ),
        **wanted.references,  # type: ignore[arg-type]  # its keys are Campaign's, see CampaignChange
    )
    if changed == campaign:
        return campaign
    checked(changed)
    _refuse_exchange(campaign, changed)
    return replace(changed, revision=campaign.revision + 1, tm_update=now)


def delete(campaign: Campaign, now: datetime) -> Campaign:
    """The campaign, deleted; FailedPrecondition unless it is in status stop."""
    if campaign.tm_delete is not None:
        return campaign
    if campaign.status is not Status.STOP:
        raise FailedPrecondition(
            f"campaign {campaign.id} is in {campaign.status}; stop it before deleting",
            status=campaign.status,
        )
    return replace(campaign, revision=campaign.revision + 1, tm_update=now, tm_delete=now)


def owned(campaign: Campaign | None, campaign_id: UUID, customer_id: UUID) -> Campaign:
    """See ownership.owned."""
    return ownership.owned(
        campaign, "campaign", campaign_id, customer_id, reason=CAMPAIGN_NOT_FOUND
    )


def refuse_deleted(campaign: Campaign) -> None:
    """FailedPrecondition for a deleted campaign."""
    if campaign.tm_delete is not None:
        raise FailedPrecondition(f"campaign {campaign.id} is deleted; create another")


def refuse_unstartable(campaign: Campaign, actions: tuple[Action, ...]) -> None:
    """FailedPrecondition that says what keeps the campaign, with these actions, from running."""
    refuse_deleted(campaign)
    if campaign.type not in STARTABLE_TYPES:
        raise FailedPrecondition(
            f"campaign {campaign.id} is of type {campaign.type}, which cannot be run; "
            f"accepted: {', '.join(sorted(STARTABLE_TYPES))}",
            type=campaign.type,
        )
    for name, what in (("outplan_id", campaign.outplan_id), ("outdial_id", campaign.outdial_id)):
        if what is None:
            raise FailedPrecondition(
                f"campaign {campaign.id} has no {name}; set it before starting", field=name
            )
    try:
        # Stored when less was asked of a definition, perhaps.
        validate_actions(actions)
    except InvalidArgument as exc:
        raise FailedPrecondition(f"campaign {campaign.id} cannot be run: {exc.message}") from exc


def dialed_actions(campaign: Campaign, flow_actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """What runs on answer: the campaign's own actions, else its flow's, and its queue at the end."""
    actions = campaign.actions or flow_actions
    if campaign.queue_id is None:
        return actions
    return (*actions, Action(type="queue_join", option={"queue_id": str(campaign.queue_id)}))


def checked(campaign: Campaign) -> Campaign:
    """The campaign if its figures and references can be; InvalidArgument names one that cannot."""
    check_range("service_level", campaign.service_level, SERVICE_LEVEL, "percent")
    check_range("agent_wait_limit", campaign.agent_wait_limit, AGENT_WAIT_MS, "milliseconds")
    if campaign.next_campaign_id == campaign.id:
        raise invalid("next_campaign_id", str(campaign.id), "another campaign than this one")
    return campaign


def _abandonment(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    return tuple(validate_actions(actions, "abandonment_actions"))


def _refuse_exchange(campaign: Campaign, changed: Campaign) -> None:
    if campaign.status is Status.STOP:
        return
    for name in ("outdial_id", "outplan_id", "queue_id", "type"):
        if getattr(campaign, name) != getattr(changed, name):
            raise FailedPrecondition(
                f"campaign {campaign.id} is in {campaign.status}; stop it before changing its {name}",
                status=campaign.status,
                field=name,
            )
