"""What callers hear while they wait: the actions of their queue's wait flow, again and again.

`talk`, `play` and `beep` are heard, `sleep` is music for so long; the others are passed over. Without a
flow, or when nothing of it can be heard, there is music.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.common.actions import Action
from services.common.clock import Clock
from services.common.ids import new_id
from services.dialer.conversations.effects import FetchFlow, Play, Say
from services.dialer.conversations.errands import Errands, Result
from services.dialer.conversations.flow_run import FlowRun
from services.dialer.conversations.interpreter import NEEDS, UnusableOptionError, option_of
from services.dialer.conversations.steps.media import HEARD
from services.dialer.telephony import Capability, Telephony
from services.dialer.timers import Timer, Timers

SHORTEST = timedelta(milliseconds=200)
"""What is over sooner (domain) was not heard: repeating it would only keep the network busy."""
_NEEDS = {word: NEEDS[word] for word in HEARD} | {"sleep": Capability.HOLD}


@dataclass(slots=True)
class _Loop:
    """One caller's."""

    run: FlowRun
    name: str  # of its plays: another one after a take-over
    actions: tuple[Action, ...] = ()
    position: int = 0
    plays: int = 0
    unheard: int = 0  # actions in a row of which nothing was heard
    since: datetime | None = None
    timer: Timer | None = None
    is_paused: bool = False
    is_over: bool = False  # what was heard ended during a pause

    @property
    def play_id(self) -> str:
        """Names what is heard now."""
        return f"wait-{self.name}-{self.plays}"


class WaitLoops:
    """All such callers of this dialer, by call."""

    def __init__(
        self,
        telephony: Telephony,
        timers: Timers,
        errands: Errands,
        clock: Clock,
        noted: Callable[[FlowRun], None],
    ) -> None:
        """`noted` stores a run of whose flow something could not be heard."""
        self._telephony = telephony
        self._timers = timers
        self._errands = errands
        self._clock = clock
        self._noted = noted
        self._loops: dict[UUID, _Loop] = {}

    def begin(self, call_id: UUID, run: FlowRun, flow_id: UUID) -> None:
        """Let the caller hear this flow, as soon as it is known, in place of music."""
        self.end(call_id)
        loop = self._loops[call_id] = _Loop(run, new_id().hex[-12:])
        self._errands.begin(run, FetchFlow(flow_id), lambda got: self._fetched(call_id, loop, got))

    def pause(self, call_id: UUID, *, is_on: bool) -> None:
        """Begin nothing more while the caller is being connected; or go on."""
        loop = self._loops.get(call_id)
        if loop is None or loop.is_paused is is_on:
            return
        loop.is_paused = is_on
        if not is_on and loop.is_over:
            self._next(call_id, loop)

    def finished(self, call_id: UUID, play_id: str) -> None:
        """What was played or spoken is over."""
        loop = self._loops.get(call_id)
        if loop is not None and loop.play_id == play_id and loop.timer is None:
            self._over(call_id, loop)

    def failed(self, call_id: UUID, play_id: str, detail: str) -> None:
        """The network could not play or speak it."""
        loop = self._loops.get(call_id)
        if loop is not None and loop.play_id == play_id and loop.timer is None:
            self._note(loop, detail)
            loop.since = None
            self._over(call_id, loop)

    def end(self, call_id: UUID) -> None:
        """Nobody waits any more."""
        loop = self._loops.pop(call_id, None)
        if loop is not None and loop.timer is not None:
            loop.timer.cancel()

    def _fetched(self, call_id: UUID, loop: _Loop, result: Result) -> None:
        if self._loops.get(call_id) is not loop:
            return
        loop.actions = result.actions or ()
        passed = {each.type for each in loop.actions if each.type not in _NEEDS}
        if result.failure or passed:
            self._note(loop, result.failure or f"passed over: {', '.join(sorted(passed))}")
        if loop.is_paused:
            loop.is_over = True
        else:
            self._next(call_id, loop)

    def _over(self, call_id: UUID, loop: _Loop) -> None:
        was_heard = loop.since is not None and self._clock.now() - loop.since >= SHORTEST
        loop.unheard = 0 if was_heard else loop.unheard + 1
        if loop.is_paused:
            loop.is_over = True
        else:
            self._next(call_id, loop)

    def _next(self, call_id: UUID, loop: _Loop) -> None:
        loop.is_over, loop.timer = False, None
        while loop.unheard < len(loop.actions):
            action = loop.actions[loop.position]
            loop.position = (loop.position + 1) % len(loop.actions)
            loop.plays += 1
            loop.since = self._clock.now()
            if self._start(call_id, loop, action):
                return
            loop.unheard += 1
        # Nothing of it can be heard.
        del self._loops[call_id]
        self._telephony.hold(call_id, loop.play_id)

    def _start(self, call_id: UUID, loop: _Loop, action: Action) -> bool:
        if _NEEDS.get(action.type) not in loop.run.capabilities:
            return False
        try:
            option = option_of(loop.run, action)
        except UnusableOptionError as exc:
            self._note(loop, f"unusable option: {exc}")
            return False
        if action.type == "sleep":
            self._telephony.hold(call_id, loop.play_id)
            until = self._clock.now() + timedelta(milliseconds=option["duration"])
            loop.timer = self._timers.at(until, lambda: self._slept(call_id, loop))
            return True
        match HEARD[action.type](loop.play_id, option):
            case Say(play_id, text, language, voice):
                self._telephony.say(call_id, play_id, text, language=language, voice=voice)
            case Play(play_id, urls):
                self._telephony.play(call_id, play_id, urls)
        return True

    def _slept(self, call_id: UUID, loop: _Loop) -> None:
        loop.timer = None
        if self._loops.get(call_id) is loop:
            self._over(call_id, loop)

    def _note(self, loop: _Loop, detail: str) -> None:
        loop.run.note_step(f"wait flow: {detail}")
        self._noted(loop.run)
