"""What a listing of channels says, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.dialer.telephony import AnsweredBy, CallState, Leg, LiveCall

UP = "Up"
RINGING_STATES = frozenset({"Ring", "Ringing"})
STASIS = "Stasis"
DETECT_CONTEXT = "outbound-detect"
DETECTED = "detected"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One of our calls as its PBX lists it."""

    call_id: UUID
    state: str
    application: str
    leg: Leg
    trunk: str
    ring_ms: int
    max_ms: int
    tm_place: datetime | None
    tm_answer: datetime | None
    answered_by: AnsweredBy
    play: str  # kind:id
    is_in_application: bool
    is_in_detection: bool
    verdict: tuple[str, str] | None  # of a detection that is over
    entered: str  # the application it is in; "" for none

    @property
    def is_up(self) -> bool:
        """It was answered."""
        return self.state == UP

    @property
    def is_ringing(self) -> bool:
        """The phone rings."""
        return self.state in RINGING_STATES

    def live_call(
        self, owner: str, bridged_with: UUID | None = None, play_id: str = "", finished: str = ""
    ) -> LiveCall:
        """The same in the port's words."""
        return LiveCall(
            call_id=self.call_id,
            leg=self.leg,
            state=CallState.ANSWERED if self.is_up else CallState.DIALING,
            rang=self.is_ringing,
            answered_by=self.answered_by,
            tm_place=self.tm_place,
            tm_answer=self.tm_answer if self.is_up else None,
            play_id=play_id,
            finished_play_id=finished,
            bridged_with=bridged_with,
            owner=owner,
        )


def call_snapshots(channels: Iterable[Mapping[str, Any]]) -> dict[UUID, Snapshot]:
    """Our calls among all channels; the channels that help them are none."""
    found = (_snapshot(channel) for channel in channels)
    return {each.call_id: each for each in found if each is not None}


def bridged_pairs(bridges: Iterable[Mapping[str, Any]]) -> dict[UUID, tuple[UUID, str]]:
    """Call -> the call it is connected with, and the bridge."""
    pairs: dict[UUID, tuple[UUID, str]] = {}
    for bridge in bridges:
        ids = [call_id for each in bridge.get("channels", ()) if (call_id := as_call_id(each))]
        if len(ids) == 2:
            pairs[ids[0]] = (ids[1], bridge["id"])
            pairs[ids[1]] = (ids[0], bridge["id"])
    return pairs


def as_call_id(channel: str) -> UUID | None:
    """The call a channel is; None for one that helps a call, and for other people's."""
    if len(channel) != 36:
        return None
    try:
        return UUID(channel)
    except ValueError:
        return None


def _snapshot(channel: Mapping[str, Any]) -> Snapshot | None:
    call_id = as_call_id(channel["id"])
    variables = channel.get("channelvars") or {}
    application = variables.get("OUTBOUND_APP", "")
    if call_id is None or not application:
        return None
    place = channel.get("dialplan") or {}
    is_in_application = place.get("app_name") == STASIS
    words = str(place.get("app_data", "")).split(",")
    verdict = None
    if is_in_application and len(words) >= 4 and words[1] == DETECTED:
        verdict = (words[2], words[3])
    return Snapshot(
        call_id=call_id,
        state=channel["state"],
        application=application,
        leg=_word(Leg, variables.get("OUTBOUND_LEG"), Leg.CUSTOMER),
        trunk=variables.get("OUTBOUND_TRUNK", ""),
        ring_ms=_number(variables.get("OUTBOUND_RING_MS")),
        max_ms=_number(variables.get("OUTBOUND_MAX_MS")),
        tm_place=_instant(variables.get("OUTBOUND_PLACED")),
        tm_answer=_instant(variables.get("OUTBOUND_ANSWERED")),
        answered_by=_word(AnsweredBy, variables.get("OUTBOUND_BY"), AnsweredBy.UNKNOWN),
        play=variables.get("OUTBOUND_PLAY", ""),
        is_in_application=is_in_application,
        is_in_detection=place.get("context") == DETECT_CONTEXT and verdict is None,
        entered=words[0] if is_in_application else "",
        verdict=verdict,
    )


def answered_by(status: str, cause: str) -> AnsweredBy:
    """What a detection's verdict means. Silence alone is no machine: many people wait for the caller."""
    if status == "HUMAN":
        return AnsweredBy.HUMAN
    if status == "MACHINE" and not cause.startswith("INITIALSILENCE"):
        return AnsweredBy.MACHINE
    return AnsweredBy.UNKNOWN


def _word(kind: Any, text: str | None, otherwise: Any) -> Any:
    try:
        return kind(text)
    except ValueError:
        return otherwise


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
