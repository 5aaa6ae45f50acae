"""A call between a link that notes requests and a driver that notes what is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from services.common.clock import ManualClock
from services.common.ids import new_id
from services.dialer.drivers.asterisk.calls import HeldCall
from services.dialer.drivers.asterisk.configuration import PbxSettings, parse
from services.dialer.drivers.asterisk.link import Answer, Then
from services.dialer.drivers.asterisk.requests import Request
from services.dialer.drivers.asterisk.snapshots import Snapshot, call_snapshots
from services.dialer.telephony import Address, Event, Leg, Placement
from tests.unit.dialer.fakes import START

GOOD = Answer(200)


class FakeLink:
    """Notes what is sent; the test says what became of it."""

    application = "outbound-1"

    def __init__(self) -> None:
        trunk = {"name": "t", "address_types": ["tel"], "dial": "PJSIP/{target}@t"}
        pbx = {
            "name": "p",
            "ari_url": "http://h/ari",
            "user": "u",
            "password": "p",
            "trunks": [trunk],
        }
        self.pbx: PbxSettings = parse({"pbxs": [pbx]}, "x").pbxs[0]
        self.is_ready = True
        self.sent: list[tuple[Request, Then | None]] = []

    def send(
        self, request: Request, then: Then | None = None, *, place_before: float | None = None
    ) -> None:
        self.sent.append((request, then))

    def asked(self) -> list[str]:
        """Methods and the last words of the paths since the last look."""
        words = [f"{request.method} {request.path.split('/')[-1]}" for request, _ in self.sent]
        return [word.replace(str(self.call_id), "call") for word in words]

    call_id: UUID = UUID(int=0)

    def answer(self, index: int, answer: Answer) -> None:
        then = self.sent[index][1]
        assert then is not None
        then(answer)


class Timer:
    def __init__(self, action: Callable[[], None]) -> None:
        self.action = action
        self.is_on = True

    def cancel(self) -> None:
        self.is_on = False


class Bench:
    """See wire.Wire."""

    def __init__(self, *, ring_ms: int = 30_000, max_ms: int = 60_000) -> None:
        self.clock = ManualClock(START, boottime=1000.0)
        self.link = FakeLink()
        self.told: list[Event] = []
        self.timers: list[Timer] = []
        self.works: list[tuple[Callable[[Any], None], Callable[[str], None]]] = []
        self.is_over = False
        self.trunk: list[str] = []
        call_id = new_id()
        self.link.call_id = call_id
        self.call = HeldCall(call_id, self.link, self, ring_ms=ring_ms, max_ms=max_ms)  # type: ignore[arg-type]

    def tell(self, *events: Event) -> None:
        self.told += events

    def later(self, seconds: float, action: Callable[[], None]) -> Timer:
        timer = Timer(action)
        self.timers.append(timer)
        return timer

    def in_background(
        self, work: Awaitable[Any], then: Callable[[Any], None], failed: Callable[[str], None]
    ) -> None:
        self.works.append((then, failed))

    def over(self, call_id: UUID) -> None:
        self.is_over = True

    def trunk_answered(self, call_id: UUID) -> None:
        self.trunk.append("answered")

    def trunk_failed(self, call_id: UUID, detail: str) -> None:
        self.trunk.append(detail)

    # ------------------------------------------------------------------------------- shorthand

    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.told]

    def place(self, answer: Answer | None = GOOD) -> None:
        placement = Placement(
            call_id=self.call.call_id,
            leg=Leg.CUSTOMER,
            destination=Address("tel", "+1555"),
            source=None,
            ring_timeout_ms=self.call.ring_ms,
            max_duration_ms=self.call.max_ms,
        )
        self.call.place(placement, "PJSIP/+1555@t", {})
        if answer is not None:
            self.link.answer(-1, answer)

    def answered(self) -> None:
        self.place()
        self.call.state_changed("Ringing")
        self.call.state_changed("Up")
        self.call.entered(["answered"])
        self.link.sent.clear()

    def break_link(self) -> None:
        self.link.is_ready = False
        self.link.sent.clear()

    def snapshot(self, state: str = "Up", **more: Any) -> Snapshot:
        variables = {"OUTBOUND_APP": "outbound-1", **more.pop("variables", {})}
        place = {
            "context": "outbound-call",
            "app_name": "Stasis",
            "app_data": "outbound-1,answered",
        }
        channel = {
            "id": self.call.text,
            "state": state,
            "channelvars": variables,
            "dialplan": {**place, **more},
        }
        return call_snapshots([channel])[self.call.call_id]

    def reconnect(self, snapshot: Snapshot, *, is_play_on: bool = False) -> None:
        self.call.reconcile(snapshot, is_play_on=is_play_on)
        self.link.is_ready = True
