"""A call's time out of its application: it rings, or is in the dialplan to find out who answered.

Most requests work on a channel in its application only. Those that are made meanwhile are kept, and
sent in their order when the call is back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from services.dialer.drivers.asterisk import requests, snapshots
from services.dialer.drivers.asterisk.history import History
from services.dialer.drivers.asterisk.link import Answer, Then
from services.dialer.drivers.asterisk.requests import Request
from services.dialer.drivers.asterisk.snapshots import Snapshot
from services.dialer.drivers.asterisk.wire import Wire
from services.dialer.telephony import CommandFailed, Detected


class Wanted(NamedTuple):
    """A request that waits; `is_play` for one about what its call hears."""

    request: Request
    then: Then | None
    is_play: bool = False


class Absence:
    """Of one call. A verdict is what the dialplan has found out about who answered."""

    def __init__(
        self,
        call_id: UUID,
        wire: Wire,
        history: History,
        *,
        forward: Callable[[Request, Then | None], None],
        is_linked: Callable[[], bool],
    ) -> None:
        """`forward` has a request carried out now; `is_linked` says whether that can be done."""
        self._call_id = call_id
        self._text = str(call_id)
        self._wire = wire
        self._history = history
        self._forward = forward
        self._is_linked = is_linked
        self._is_away = True
        self._kept: list[Wanted] = []
        self._waiting: list[Callable[[], None]] = []
        self.is_in_detection = False
        """It was sent there, and has not come back."""
        self.wants_verdict = False

    @property
    def is_away(self) -> bool:
        """Whether what works in an application only has to wait."""
        return self._is_away

    def when_back(self, then: Callable[[], None]) -> None:
        """Have this done once the call is back, behind what is kept for it."""
        self._waiting.append(then)

    def send(self, request: Request, then: Then | None, *, is_play: bool) -> None:
        """Have it carried out now, or when the call is back. Without a link it is the wish that counts,
        which is kept with the call."""
        if self._is_away and not request.works_anywhere:
            self._kept.append(Wanted(request, then, is_play))
            return
        if not self._is_linked():
            return
        if request.leads_away:
            # What is sent after it has to wait for its return, not for the news that it has left.
            self._is_away = self.is_in_detection = True
        self._forward(request, then)

    def detect(self) -> None:
        """Send it away to find out who answered."""
        self.wants_verdict = True
        self.send(requests.detect(self._text), self._sent_away, is_play=False)

    def verdict(self, status: str, cause: str) -> None:
        """It has been found out; told once."""
        if self.wants_verdict:
            self.wants_verdict = False
            by = self._history.answered_by = snapshots.answered_by(status, cause)
            self.send(
                requests.set_variable(self._text, "OUTBOUND_BY", by.value), None, is_play=False
            )
            self._wire.tell(Detected(self._call_id, self._wire.clock.now(), by))

    def over(self) -> None:
        """It is in its application: send what was kept."""
        self._is_away = self.is_in_detection = False
        if not self._is_linked():
            return  # sent when the link has settled
        kept, self._kept = self._kept, []
        for each in kept:
            self.send(each.request, each.then, is_play=each.is_play)
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then()

    def adopt(self, snapshot: Snapshot) -> None:
        """Begin where another dialer stood, with a call that is up."""
        self._is_away = not snapshot.is_in_application
        self.wants_verdict = self.is_in_detection = snapshot.is_in_detection

    def stands(self, snapshot: Snapshot) -> None:
        """Where it is a moment after `adopt`."""
        if snapshot.is_in_application and self._is_away:
            if snapshot.verdict is not None:
                self.verdict(*snapshot.verdict)
            self.over()

    def seen(self, snapshot: Snapshot) -> None:
        """Where it is now that the link is back; `reconcile` is to follow."""
        # What is to be heard is asked for again by others: once is enough.
        self._kept = [each for each in self._kept if not each.is_play]
        # The listing may be older than an event that came over the new link.
        self.is_in_detection = self.wants_verdict and snapshot.is_in_detection
        self._is_away = self.is_in_detection or (self._is_away and not snapshot.is_in_application)

    def reconcile(self, snapshot: Snapshot) -> None:
        """Send what was kept, if it is back, and ask again for a verdict that is still wanted."""
        if not self._is_away:
            self.over()
        if self.wants_verdict and snapshot.verdict is not None:
            self.verdict(*snapshot.verdict)
        elif self.wants_verdict and not self._is_away:
            self.detect()

    def _sent_away(self, answer: Answer) -> None:
        if answer.is_good:
            return
        if answer.status > 0 and answer.status != 404 and self.wants_verdict:
            self.wants_verdict = False
            self._wire.tell(CommandFailed(self._call_id, "detect", "", answer.detail))
            self.over()
