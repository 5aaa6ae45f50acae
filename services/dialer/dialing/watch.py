"""Looks for attempts that should have been heard of: at their deadline, twice. And for calls that
belong to nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from services.common.clock import Clock
from services.common.errors import AppError
from services.common.log import get_logger
from services.dialer.attempts import Attempt, Attempts
from services.dialer.conversations.control import Control
from services.dialer.outcome import lost
from services.dialer.ports import Registry
from services.dialer.telephony import LiveCall, Telephony, TelephonyUnavailable

LOOK_SECONDS = 1.0
"""Pause between looks for late attempts (real)."""
ANSWER_SECONDS = 5.0
"""How long the network may take to say what became of an attempt before it is called lost (real)."""
EXTENSION_SECONDS = 10
"""An attempt that is found alive past its deadline is looked for again this much later (domain)."""
STRAY_LOOK_SECONDS = 20.0
STRAY_SECONDS = 60.0
"""A call that nobody has held for this long (real) is hung up."""


class Watch:
    """Both watches; `run_deadlines` and `run_strays` are background tasks."""

    def __init__(
        self,
        *,
        telephony: Telephony,
        attempts: Attempts,
        is_leg: Callable[[UUID], bool],
        control: Control,
        registry: Registry,
        clock: Clock,
        dialer_id: str,
        is_led: Callable[[UUID], bool],
    ) -> None:
        self._telephony = telephony
        self._attempts = attempts
        self._is_leg = is_leg
        self._control = control
        self._registry = registry
        self._clock = clock
        self._dialer_id = dialer_id
        self._is_led = is_led
        self._leaderless: dict[UUID, float] = {}  # BOOTTIME since when its campaign is not run here
        self._asked: dict[UUID, float] = {}  # BOOTTIME of the first look
        self._strays: dict[UUID, float] = {}  # BOOTTIME at which it was first seen
        self._log = get_logger()

    async def run_deadlines(self) -> None:
        """Look for late attempts until cancelled."""
        while True:
            await self._clock.sleep_real(LOOK_SECONDS)
            self.look_for_leaderless()
            try:
                await self.look_for_late()
            except TelephonyUnavailable:
                # Nothing is called lost while the network cannot be asked.
                self._asked.clear()

    async def run_strays(self) -> None:
        """Look for calls of nobody until cancelled."""
        while True:
            await self._clock.sleep_real(STRAY_LOOK_SECONDS)
            try:
                await self.look_for_strays()
            except (TelephonyUnavailable, AppError) as exc:
                self._log.warning("strays_unknown", error=str(exc))

    async def look_for_late(self) -> None:
        """Ask the network for attempts past their deadline; close those it twice does not know.

        Raises TelephonyUnavailable when the network cannot be asked.
        """
        now = self._clock.now()
        late = {each.id: each for each in self._attempts if each.deadline <= now}
        self._asked = {key: since for key, since in self._asked.items() if key in late}
        if not late or not self._telephony.connected:
            return
        live = {call.call_id for call in await self._telephony.live_calls(list(late))}
        boottime = self._clock.boottime()
        fresh = []
        for attempt_id, attempt in late.items():
            if attempt_id in live:
                attempt.deadline = now + timedelta(seconds=EXTENSION_SECONDS)
            elif attempt_id not in self._asked:
                self._asked[attempt_id] = boottime
                fresh.append(attempt_id)
            elif boottime - self._asked[attempt_id] >= ANSWER_SECONDS:
                self._call_lost(attempt)
        if fresh:
            # It may have ended: the network remembers how.
            self._telephony.adopt(fresh)

    def look_for_leaderless(self) -> None:
        """Hang up attempts whose campaign is not run here any more, and that nobody has taken.

        The campaign has stopped with them closed, or another dialer runs it and takes them within
        seconds.
        """
        boottime = self._clock.boottime()
        self._leaderless = {
            each.id: self._leaderless.get(each.id, boottime)
            for each in self._attempts
            if not self._is_led(each.campaign.id)
        }
        old = [key for key, since in self._leaderless.items() if boottime - since >= STRAY_SECONDS]
        if old:
            self._log.warning("leaderless_hung_up", count=len(old))
            self._telephony.hangup(old)

    def _call_lost(self, attempt: Attempt) -> None:
        self._asked.pop(attempt.id, None)
        if self._attempts.get(attempt.id) is attempt:
            self._log.warning("attempt_lost", attempt=str(attempt.id))
            self._control.close(attempt, lost(attempt))

    async def look_for_strays(self) -> None:
        """Hang up live calls that no living dialer has held for a while.

        An attempt that is open somewhere is adopted within seconds of its dialer's death, so what
        stays behind belongs to no attempt, or is an agent's phone that rings for nobody.
        """
        calls = await self._telephony.live_calls()
        living = {entry.dialer_id for entry in await self._registry.living()}
        strays = [call for call in calls if self._is_stray(call, living)]
        boottime = self._clock.boottime()
        self._strays = {call.call_id: self._strays.get(call.call_id, boottime) for call in strays}
        old = [key for key, since in self._strays.items() if boottime - since >= STRAY_SECONDS]
        if old:
            self._log.warning("strays_hung_up", count=len(old))
            self._telephony.hangup(old)

    def _is_stray(self, call: LiveCall, living: set[str]) -> bool:
        if self._attempts.get(call.call_id) or self._is_leg(call.call_id):
            return False
        return call.owner == self._dialer_id or call.owner not in living
