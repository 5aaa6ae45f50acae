"""A real Asterisk as a carrier for the telephony contract, behind a link that can be cut."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.common.clock import Clock
from services.dialer.drivers.asterisk.configuration import Configuration
from services.dialer.drivers.asterisk.driver import AsteriskTelephony
from services.dialer.drivers.asterisk.media_web import MediaWeb
from services.dialer.drivers.asterisk.sounds import Sounds
from services.dialer.drivers.asterisk.speech import EspeakEngine, SoundWorker
from services.dialer.ports import Slots
from services.dialer.telephony import Address, Telephony
from tests.fixtures.asterisk import Pbx
from tests.fixtures.tcp_proxy import TcpProxy
from tests.support.servers import open_folder
from tests.support.telephony import Carrier, SkippableClock
from tests.unit.dialer.memory import MemorySlots

BEHAVIOURS = {"answer": "200", "machine": "205", "busy": "486", "noanswer": "000", "invalid": "404"}
_count = itertools.count(1)


def make_sounds(folder: Path, clock: Clock) -> Sounds:
    """Speech and media in a folder of the test's."""
    worker = SoundWorker()
    media = folder / "media"
    media.mkdir(exist_ok=True)
    return Sounds(
        folder / "cache",
        media,
        EspeakEngine(worker),
        worker,
        clock,
        web=MediaWeb(allows_private=True),
        most_bytes=100_000_000,
    )


def make_driver(
    configuration: Configuration, folder: Path, *, dialer: str, slots: Slots, clock: Clock
) -> AsteriskTelephony:
    """A driver of a dialer's own, not running yet."""
    return AsteriskTelephony(
        configuration,
        slots=slots,
        dialer_id=dialer,
        clock=clock,
        sounds=make_sounds(folder, clock),
        recordings_folder=folder / "recordings",
    )


class AsteriskCarrier:
    """See Carrier."""

    remembers_ends = False

    def __init__(self, pbx: Pbx, link: TcpProxy, folder: Path) -> None:
        self.pbx = pbx
        self.link = link
        self.folder = folder
        self.clock = SkippableClock()
        self.slots = MemorySlots()
        self.application = f"contract{next(_count)}"
        self._called: set[str] = set()

    def address(self, behaviour: str) -> Address:
        number = self.pbx.number(BEHAVIOURS[behaviour])
        self._called.add(number)
        return Address("tel", number)

    def telephony(self, dialer: str) -> Telephony:
        url = self.pbx.server.ari_url.replace(str(self.pbx.server.options.http_port), "{port}")
        configuration = self.pbx.configuration(
            self.application, ari_url=url.format(port=self.link.port)
        )
        return make_driver(
            configuration, self.folder, dialer=dialer, slots=self.slots, clock=self.clock
        )

    async def cut(self) -> None:
        await self.link.cut()

    async def restore(self) -> None:
        await self.link.restore()

    async def rang(self) -> list[str]:
        return [number for number in self.pbx.phones.rang() if number in self._called]


@asynccontextmanager
async def asterisk_carrier(pbx: Pbx) -> AsyncIterator[AsteriskCarrier]:
    """A link of the test's own to the session's PBX."""
    link = TcpProxy(pbx.server.options.http_port)
    await link.start()
    with open_folder() as folder:
        carrier = AsteriskCarrier(pbx, link, folder)
        _: Carrier = carrier
        try:
            yield carrier
        finally:
            await link.cut()
            pbx.hang_up_all()
