"""What the interpreter asks its driver to do. An effect that `waits` is the last of its list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text; waits for its end unless the action was asynchronous."""

    play_id: str
    text: str
    language: str
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Play:
    """Play recordings."""

    play_id: str
    urls: tuple[str, ...]
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Sleep:
    """Do nothing until a domain time."""

    until: datetime
    waits: bool = True


@dataclass(frozen=True, slots=True)
class JoinQueue:
    """Wait for an agent and talk to them."""

    queue_id: UUID
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Finish:
    """The flow is over: hang up if there is a call."""

    waits: bool = True


Effect = Say | Play | Sleep | JoinQueue | Finish
