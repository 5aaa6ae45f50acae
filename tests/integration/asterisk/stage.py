"""An Asterisk, its phones, and dialers beside it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any
from uuid import UUID

from services.dialer.drivers.asterisk.driver import AsteriskTelephony
from services.dialer.telephony import Address, Answered, Leg, Placement, Recorded
from tests.fixtures.asterisk import Pbx
from tests.support import sound
from tests.support.asterisk_carrier import make_driver
from tests.support.telephony import Ear, SkippableClock, placement
from tests.unit.dialer.memory import MemorySlots

_count = itertools.count(1)


class Stage:
    """See tests.support.telephony.Carrier; behaviours are the phones' codes."""

    remembers_ends = False

    def __init__(self, pbx: Pbx, folder: Path, **configuration: Any) -> None:
        self.pbx = pbx
        self.folder = folder
        self.clock = SkippableClock()
        self.slots = MemorySlots()
        self.application = f"stage{next(_count)}"
        self._configuration = configuration

    def address(self, behaviour: str) -> Address:
        return Address("tel", self.pbx.number(behaviour))

    def telephony(self, dialer: str) -> AsteriskTelephony:
        return make_driver(
            self.pbx.configuration(self.application, **self._configuration),
            self.folder,
            dialer=dialer,
            slots=self.slots,
            clock=self.clock,
        )

    async def cut(self) -> None:
        raise NotImplementedError

    async def restore(self) -> None:
        raise NotImplementedError

    async def rang(self) -> list[str]:
        return self.pbx.phones.rang()

    # ------------------------------------------------------------------------------- shorthand

    def call(self, behaviour: str, **members: Any) -> Placement:
        return placement(self, behaviour, **members)

    async def answered(self, ear: Ear, behaviour: str, leg: Leg = Leg.CUSTOMER) -> UUID:
        """A call to such a phone, as soon as it was answered; its id."""
        call = self.call(behaviour, leg=leg)
        ear.telephony.place([call])
        await ear.hear(Answered, call.call_id)
        return call.call_id

    def heard(self, recorded: Recorded) -> sound.Samples[int]:
        """The sound of a recording."""
        assert recorded.location
        return sound.read_wav(self.folder / "recordings" / recorded.location)
