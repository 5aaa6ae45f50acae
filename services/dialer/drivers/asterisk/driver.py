"""The Asterisk driver: the telephony port on the REST interface of one or several PBXs.

Everything that is wanted of a call is kept with the call (`calls`), so that a broken link costs nothing
but time. While no link is up nothing is placed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from services.common import outages
from services.dialer.drivers.asterisk import requests
from services.dialer.drivers.asterisk.adoption import look
from services.dialer.drivers.asterisk.calls import HeldCall
from services.dialer.drivers.asterisk.core import Core
from services.dialer.drivers.asterisk.plays import Kind, Play
from services.dialer.drivers.asterisk.variables import variables_of
from services.dialer.telephony import (
    BEEP,
    Capability,
    CommandFailed,
    Ended,
    HangupReason,
    LiveCall,
    NotPlaced,
    NotPlacedReason,
    Placement,
    TelephonyUnavailable,
)


class AsteriskTelephony(Core):
    """See services.dialer.telephony.Telephony."""

    capabilities = frozenset(Capability) - {Capability.ANSWER}

    @property
    def address_types(self) -> frozenset[str]:
        """See Telephony."""
        return self.trunks.address_types

    @property
    def room(self) -> int | None:
        """See Telephony."""
        return self.trunks.room(self.clock.boottime()) if self.connected else 0

    @property
    def resting_trunks(self) -> list[str]:
        """Trunks that failed and have not been seen to work again."""
        return [trunk.name for trunk in self.trunks.all if trunk.is_resting]

    # --------------------------------------------------------------------------------- placing

    def place(self, placements: Sequence[Placement]) -> None:
        """See Telephony."""
        for placement in placements:
            self._place(placement)

    def _place(self, placement: Placement) -> None:
        call_id, now = placement.call_id, self.clock.boottime()
        if not self.connected:
            self.tell(NotPlaced(call_id, NotPlacedReason.DISCONNECTED))
            return
        if call_id in self.held or call_id in self.ended:
            self.tell(NotPlaced(call_id, NotPlacedReason.DUPLICATE))
            return
        beside = self.held.get(placement.beside) if placement.beside else None
        pbx = beside.link.pbx.name if beside is not None else ""
        trunk = self.trunks.choose(placement.destination, now, pbx)
        link = self.network.link(trunk.pbx) if trunk is not None else None
        if trunk is None or link is None:
            self.tell(NotPlaced(call_id, NotPlacedReason.NO_ROOM))
            return
        endpoint = trunk.settings.dial_string(placement.destination)
        if endpoint is None:
            # No network could reach it.
            ended = Ended(call_id, self.clock.now(), HangupReason.FAILED, "invalid")
            self.remember(call_id, ended)
            self.tell(ended)
            return
        call = HeldCall(
            call_id,
            link,
            self,
            ring_ms=placement.ring_timeout_ms,
            max_ms=placement.max_duration_ms,
        )
        self.held[call_id] = call
        self.trunk_of[call_id] = trunk
        trunk.take()
        variables = variables_of(placement, link.application, trunk.settings, self.clock.now())
        call.place(placement, endpoint, variables)

    # -------------------------------------------------------------------------------- commands

    def cancel(self, call_ids: Collection[UUID]) -> None:
        """See Telephony."""
        for call in self._held_of(call_ids):
            call.cancel()

    def hangup(self, call_ids: Collection[UUID]) -> None:
        """See Telephony."""
        for call_id in call_ids:
            call = self.held.get(call_id)
            if call is not None:
                call.hang_up()
            elif call_id not in self.ended:
                self.strays[call_id] = self.clock.boottime()
                for link in self.network.ready:
                    link.send(requests.hang_up(str(call_id)))

    def answer(self, call_id: UUID) -> None:
        """See Telephony; calls that come in are refused by the PBX."""
        self._impossible(call_id, "answer", "")

    def play(
        self, call_id: UUID, play_id: str, media: Sequence[str], *, duration_hint_ms: int = 0
    ) -> None:
        """See Telephony."""
        for call in self._answered_of(call_id, "play", play_id):
            play = Play(play_id, Kind.MEDIA, "play")
            call.plays.start(play, self._media(call, media))

    def say(
        self, call_id: UUID, play_id: str, text: str, *, language: str = "", voice: str = ""
    ) -> None:
        """See Telephony."""
        for call in self._answered_of(call_id, "say", play_id):
            play = Play(play_id, Kind.MEDIA, "say")
            call.plays.start(play, self._speech(call, text, language, voice))

    def hold(self, call_id: UUID, play_id: str, media: Sequence[str] = ()) -> None:
        """See Telephony."""
        for call in self._answered_of(call_id, "hold", play_id):
            if media:
                play = Play(play_id, Kind.MEDIA, "hold", is_repeated=True)
                call.plays.start(play, self._media(call, media))
            else:
                call.plays.start(Play(play_id, Kind.MUSIC, "hold"))

    def stop_play(self, call_id: UUID) -> None:
        """See Telephony."""
        for call in self._held_of((call_id,)):
            call.plays.stop()

    def send_digits(
        self, call_id: UUID, play_id: str, digits: str, *, duration_ms: int = 100, gap_ms: int = 100
    ) -> None:
        """See Telephony."""
        length_ms = len(digits) * (duration_ms + gap_ms)
        for call in self._answered_of(call_id, "send_digits", play_id):
            play = Play(play_id, Kind.DIGITS, "send_digits", length_ms=length_ms)
            play.digits = (digits, duration_ms, gap_ms)
            call.plays.start(play)

    def echo(self, call_id: UUID, play_id: str, duration_ms: int) -> None:
        """See Telephony."""
        for call in self._answered_of(call_id, "echo", play_id):
            call.plays.start(Play(play_id, Kind.ECHO, "echo", length_ms=duration_ms))

    def mute(self, call_id: UUID, *, is_on: bool) -> None:
        """See Telephony."""
        for call in self._held_of((call_id,)):
            call.mute(is_on=is_on)

    def start_recording(
        self,
        call_id: UUID,
        recording_id: str,
        *,
        audio_format: str,
        max_duration_ms: int = 0,
        silence_ms: int = 0,
        end_keys: str = "",
        has_beep: bool = False,
    ) -> None:
        """See Telephony; the format is wav."""
        if not self.archive.is_there:
            self._failed(call_id, "start_recording", recording_id, "no folder is configured")
            return
        for call in self._answered_of(call_id, "start_recording", recording_id):
            begin = partial(
                call.recordings.start,
                recording_id,
                call.link.application,
                audio_format=audio_format,
                max_duration_ms=max_duration_ms,
                silence_ms=silence_ms,
                end_keys=end_keys,
            )
            if has_beep:
                failed = partial(self._failed, call_id, "start_recording", recording_id)
                self.in_background(self._media(call, [BEEP]), begin, failed)
            else:
                begin([])

    def stop_recording(self, call_id: UUID, recording_id: str) -> None:
        """See Telephony."""
        for call in self._held_of((call_id,)):
            call.recordings.stop(recording_id)

    def detect(self, call_id: UUID) -> None:
        """See Telephony."""
        for call in self._held_of((call_id,)):
            call.detect()

    def bridge(self, call_id: UUID, other_id: UUID) -> None:
        """See Telephony."""
        for call in self._held_of((call_id,)):
            self.bridges.connect(call, other_id)

    def unbridge(self, call_id: UUID) -> None:
        """See Telephony."""
        for call in self._held_of((call_id,)):
            self.bridges.disconnect(call)

    def adopt(self, call_ids: Collection[UUID]) -> None:
        """See Telephony."""
        for call_id in call_ids:
            _, ended = self.ended.get(call_id, (0.0, None))
            if ended is not None:
                self.tell(ended)
            else:
                self.adoption.ask(call_id)

    def settled(self, call_ids: Collection[UUID]) -> None:
        """See Telephony; a PBX remembers no ended calls that it could forget."""

    # ------------------------------------------------------------------------- questions, events

    async def live_calls(self, call_ids: Collection[UUID] | None = None) -> list[LiveCall]:
        """See Telephony."""
        if call_ids is not None and not call_ids:
            return []
        listing = await look(self.network)
        try:
            holders = {holder.slot: holder.dialer_id for holder in await self.slots.holders()}
        except Exception as error:
            if not outages.is_passing(error):
                raise
            raise TelephonyUnavailable("the slots' holders are not known now") from error
        calls = []
        for call_id, (_, snapshot) in listing.calls.items():
            if call_ids is None or call_id in call_ids:
                owner = holders.get(self.network.slot(snapshot.application) or 0, "")
                calls.append(snapshot.live_call(owner, listing.pairs.get(call_id, (None, ""))[0]))
        return calls

    # ---------------------------------------------------------------------------------- inside

    def _held_of(self, call_ids: Collection[UUID]) -> list[HeldCall]:
        found = (self.held.get(call_id) for call_id in call_ids)
        return [call for call in found if call is not None and not call.is_over]

    def _answered_of(self, call_id: UUID, command: str, reference: str) -> list[HeldCall]:
        calls = self._held_of((call_id,))
        if calls and not calls[0].is_answered:
            self._failed(call_id, command, reference, "not_answered")
            return []
        return calls

    def _impossible(self, call_id: UUID, command: str, reference: str) -> None:
        self._failed(call_id, command, reference, "not_supported")

    def _failed(self, call_id: UUID, command: str, reference: str, detail: str) -> None:
        self.tell(CommandFailed(call_id, command, reference, detail))

    async def _media(self, call: HeldCall, names: Sequence[str]) -> list[str]:
        paths = [await self.sounds.medium(name) for name in names]
        return [self._sound(call, path) for path in paths]

    async def _speech(self, call: HeldCall, text: str, language: str, voice: str) -> list[str]:
        return [self._sound(call, await self.sounds.spoken(text, language, voice))]

    @staticmethod
    def _sound(call: HeldCall, path: Path) -> str:
        # Asterisk chooses the ending itself.
        return f"sound:{call.link.pbx.path_there(path.with_suffix(''))}"
