"""What a network without sound and without incoming calls cannot do."""

from __future__ import annotations

from uuid import UUID

from services.dialer.telephony import CommandFailed, Event


class Soundless:
    """The commands of the telephony port that the simulated network refuses."""

    def _tell(self, *events: Event) -> None:
        raise NotImplementedError

    def answer(self, call_id: UUID) -> None:
        """See Telephony; this network has no incoming calls."""
        self._impossible(call_id, "answer", "")

    def mute(self, call_id: UUID, *, is_on: bool) -> None:
        """See Telephony; simulated people say nothing that could be kept from anybody."""

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
        """See Telephony; there is no sound in this network."""
        self._impossible(call_id, "start_recording", recording_id)

    def stop_recording(self, call_id: UUID, recording_id: str) -> None:
        """See Telephony; there is no sound in this network."""
        self._impossible(call_id, "stop_recording", recording_id)

    def _impossible(self, call_id: UUID, command: str, reference: str) -> None:
        self._tell(CommandFailed(call_id, command, reference, "not_supported"))
