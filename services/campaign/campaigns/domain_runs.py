"""What moves a campaign from one status to another. Pure rules; each returns a changed copy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.campaign.campaigns.domain import Campaign, Run, Status, StopMode, StopReason


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What a dialer says about the end of a run. `detail` is empty for the ordinary end."""

    campaign_id: UUID
    run_number: int
    fencing_token: int
    detail: str = ""
    is_error: bool = False


def start(campaign: Campaign, now: datetime, idle_chain: tuple[UUID, ...] = ()) -> Campaign:
    """The campaign in run.

    From stop this is a new run with a new number. From stopping the run is resumed under its number:
    its lease, its attempts in flight and its place in a chain are still the same.
    """
    run = campaign.run
    if run.status is Status.RUN:
        return campaign
    if run.status is Status.STOPPING:
        resumed = replace(run, status=Status.RUN, stop_mode=StopMode.NONE)
        return _moved(campaign, resumed, now)
    begun = Run(
        status=Status.RUN,
        number=run.number + 1,
        idle_chain=idle_chain,
        fencing_token=run.fencing_token,
    )
    return _moved(campaign, begun, now)


def stop(campaign: Campaign, mode: StopMode, now: datetime) -> Campaign:
    """The campaign in stop, or in stopping while attempts are in flight.

    While it is stopping, asking for hangup makes a drain shorter; everything else changes nothing.
    """
    run = campaign.run
    if run.status is Status.STOP:
        return campaign
    if run.status is Status.STOPPING:
        if mode is not StopMode.HANGUP or run.stop_mode is StopMode.HANGUP:
            return campaign
        return _moved(campaign, replace(run, stop_mode=mode), now)
    if run.open_count:
        stopping = replace(run, status=Status.STOPPING, stop_mode=mode or StopMode.HANGUP)
        return _moved(campaign, stopping, now)
    return _ended(campaign, StopReason.USER, "", now)


def complete_stop(campaign: Campaign, now: datetime) -> Campaign:
    """A stopping campaign whose last attempt has ended, in stop; any other one as it is."""
    if campaign.run.status is not Status.STOPPING or campaign.run.open_count:
        return campaign
    return _ended(campaign, StopReason.USER, "", now)


def finish(campaign: Campaign, reason: StopReason, detail: str, now: datetime) -> Campaign:
    """A campaign in run with nothing in flight, in stop for this reason."""
    return _ended(campaign, reason, detail, now)


def _moved(campaign: Campaign, run: Run, now: datetime) -> Campaign:
    return replace(campaign, run=run, revision=campaign.revision + 1, tm_update=now)


def _ended(campaign: Campaign, reason: StopReason, detail: str, now: datetime) -> Campaign:
    run = replace(
        campaign.run,
        status=Status.STOP,
        stop_mode=StopMode.NONE,
        stop_reason=reason,
        stop_detail=detail,
        tm_end=now,
    )
    return _moved(campaign, run, now)
