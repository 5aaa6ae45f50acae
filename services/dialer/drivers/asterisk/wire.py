"""What the parts of a call need of the driver that holds it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID

from services.common.clock import Clock
from services.dialer.telephony import Event


class Timer(Protocol):
    """Something that will happen unless it is cancelled."""

    def cancel(self) -> None:
        """It will not."""
        ...


class Wire(Protocol):
    """The driver, as its calls see it."""

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    def tell(self, *events: Event) -> None:
        """Tell the dialer."""
        ...

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Do it after so many seconds."""
        ...

    def in_background(
        self, work: Awaitable[Any], then: Callable[[Any], None], failed: Callable[[str], None]
    ) -> None:
        """Wait for `work`, then hand over what it gave, or why it failed."""
        ...

    def over(self, call_id: UUID) -> None:
        """This call is to be held no longer; its last event has been told."""
        ...

    def trunk_answered(self, call_id: UUID) -> None:
        """The trunk of this call works: it has brought a word from the network."""
        ...

    def trunk_failed(self, call_id: UUID, detail: str) -> None:
        """The trunk of this call is at fault."""
        ...
