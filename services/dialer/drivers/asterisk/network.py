"""The PBXs as one network: their links, for this dialer's slot and for those it went on with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from services.common.clock import Clock
from services.common.tasks import cancel_all
from services.dialer.drivers.asterisk.configuration import Configuration, PbxSettings
from services.dialer.drivers.asterisk.link import Event, Link


@dataclass(slots=True)
class Pbx:
    """One Asterisk."""

    settings: PbxSettings
    links: dict[int, Link] = field(default_factory=dict)  # by slot
    started: str = ""  # when the PBX itself was started


class Network:
    """Opens and closes links. `settle` brings one in line after each connection."""

    def __init__(
        self,
        configuration: Configuration,
        clock: Clock,
        *,
        settle: Callable[[Link], Awaitable[None]],
        on_event: Callable[[Link, Event], None],
        on_change: Callable[[Link], None],
    ) -> None:
        self._configuration = configuration
        self._clock = clock
        self._settle = settle
        self._on_event = on_event
        self._on_change = on_change
        self._tasks: dict[Link, asyncio.Task[None]] = {}
        self.pbxs = {pbx.name: Pbx(pbx) for pbx in configuration.pbxs}
        self.own = 0
        """The slot of this dialer, once it has one."""

    def application(self, slot: int) -> str:
        """A slot's name at the PBXs."""
        return f"{self._configuration.application}-{slot}"

    def slot(self, application: str) -> int | None:
        """The slot of an application; None for other people's."""
        prefix, _, number = application.rpartition("-")
        is_ours = prefix == self._configuration.application and number.isdigit()
        return int(number) if is_ours else None

    def open(self, slot: int) -> None:
        """Connect as this slot to every PBX, and stay connected."""
        for pbx in self.pbxs.values():
            if slot not in pbx.links:
                link = Link(
                    pbx.settings,
                    self.application(slot),
                    clock=self._clock,
                    settle=self._settle,
                    on_event=self._on_event,
                    on_change=self._on_change,
                )
                pbx.links[slot] = link
                self._tasks[link] = asyncio.create_task(link.run(), name=f"link {slot}")

    def check(self) -> None:
        """Raise the bug that ended a link, if one did."""
        for task in self._tasks.values():
            if task.done() and not task.cancelled():
                task.result()

    async def close(self, slot: int) -> None:
        """Disconnect as this slot."""
        links = [link for pbx in self.pbxs.values() if (link := pbx.links.pop(slot, None))]
        await cancel_all([self._tasks.pop(link) for link in links])

    async def close_all(self) -> None:
        """Disconnect."""
        tasks, self._tasks = self._tasks, {}
        await cancel_all(list(tasks.values()))
        for pbx in self.pbxs.values():
            pbx.links.clear()

    def link(self, pbx: str, slot: int | None = None) -> Link | None:
        """The link to a PBX, of the own slot unless another is named."""
        return self.pbxs[pbx].links.get(self.own if slot is None else slot)

    def is_ready(self, pbx: str) -> bool:
        """Whether calls can be placed there."""
        link = self.link(pbx)
        return link is not None and link.is_ready

    @property
    def ready(self) -> list[Link]:
        """The own links that are up."""
        return [link for name in self.pbxs if (link := self.link(name)) and link.is_ready]

    @property
    def is_whole(self) -> bool:
        """Whether every PBX can be asked."""
        return len(self.ready) == len(self.pbxs)

    @property
    def extra_slots(self) -> set[int]:
        """Slots of others that were gone on with."""
        return {slot for pbx in self.pbxs.values() for slot in pbx.links if slot != self.own}
