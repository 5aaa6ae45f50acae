"""What the interpreter asks its driver to do. An effect that `waits` is the last of its list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.common.address import Address
from services.dialer.domain.cursors import OpenRecording
from services.dialer.domain.recordings import RecordingWish
from services.dialer.domain.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text; waits for its end unless the action was asynchronous."""

    play_id: str
    text: str
    language: str
    voice: str = ""
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Play:
    """Play recordings."""

    play_id: str
    urls: tuple[str, ...]
    waits: bool = True


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Send keys to the callee."""

    play_id: str
    digits: str
    duration_ms: int
    gap_ms: int
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Echo:
    """Let the callee hear itself."""

    play_id: str
    duration_ms: int
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Sleep:
    """Do nothing until a domain time."""

    until: datetime
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait for keys until a domain time."""

    until: datetime
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Mute:
    """Keep what the callee says from everybody."""

    waits: bool = False


@dataclass(frozen=True, slots=True)
class JoinQueue:
    """Wait for an agent and talk to them."""

    queue_id: UUID
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Connect:
    """Ring these and connect the first who answers; waits for the end of the conversation.

    Without a source the caller id is that of the call.
    """

    destinations: tuple[Address, ...]
    source: Address | None
    is_anonymous: bool
    waits: bool = True


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Record the call, as a recording that the run has opened."""

    opened: OpenRecording
    wish: RecordingWish
    waits: bool = False


@dataclass(frozen=True, slots=True)
class StopRecording:
    """Record it no longer."""

    recording_id: UUID
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Detect:
    """Find out who answered; waits for the answer unless the action was asynchronous."""

    waits: bool = True


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask an address for actions."""

    request_id: UUID
    method: str
    uri: str
    waits: bool = True


@dataclass(frozen=True, slots=True)
class FetchFlow:
    """Get the actions of a flow."""

    flow_id: UUID
    waits: bool = True


@dataclass(frozen=True, slots=True)
class SendWebhook:
    """Send a webhook and wait for what is answered."""

    webhook: Webhook
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Finish:
    """The flow is over: hang up if there is a call."""

    waits: bool = True


Effect = (
    Say
    | Play
    | SendDigits
    | Echo
    | Sleep
    | Listen
    | Mute
    | JoinQueue
    | Connect
    | StartRecording
    | StopRecording
    | Detect
    | Fetch
    | FetchFlow
    | SendWebhook
    | Finish
)
