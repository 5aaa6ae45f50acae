"""The documented words of flow actions: the options of those that can be executed, and why others cannot.

Knows shapes only. What an action does is the business of whoever executes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.common.action_kinds import (
    ADDRESS,
    CALLABLE,
    FLAG,
    ID,
    LANGUAGE,
    MEDIA_TYPE,
    MEDIUM,
    NAME,
    NUMBER,
    SOME_ID,
    TARGET,
    TARGETS,
    URI,
    VALUE,
    VARIABLES,
    Kind,
    keys,
    list_of,
    nothing,
    text,
    whole,
    word,
)

MAX_TEXT = 10_000
"""Longest text to be spoken, in characters; SSML counts as it is written."""
MAX_DATA = 60_000
"""Longest body of a webhook, in characters, as it is written."""
MAX_KEYS = 100
MAX_WAIT_MS = 86_400_000
MAX_DIGITS_WAIT_MS = 600_000
MAX_ECHO_MS = 3_600_000
MAX_RECORDING_SECONDS = 86_400
MAX_SILENCE_SECONDS = 3_600
MAX_DESTINATIONS = 10
MAX_MEDIA = 50
MAX_LOOPS = 1_000
ANONYMOUS = ("", "yes", "no", "auto")
"""Accepted values of the option `anonymous`."""
CONDITIONS = ("==", "!=", ">", ">=", "<", "<=")
CALL_STATUSES = ("dialing", "ringing", "progressing", "terminating", "canceling", "hangup")
HANGUP_REASONS = ("", "normal", "failed", "busy", "cancel", "timeout", "noanswer", "dialout", "amd")


@dataclass(frozen=True, slots=True)
class Word:
    """An action that can be executed.

    `required` holds groups of options: of each group one must be given.
    """

    options: Mapping[str, Kind] = field(default_factory=dict)
    required: tuple[tuple[str, ...], ...] = ()


_CONDITION = word(*CONDITIONS)

CATALOGUE: Mapping[str, Word] = {
    "amd": Word({"machine_handle": word("", "hangup", "continue"), "async": FLAG}),
    "answer": Word(),
    "beep": Word(),
    "branch": Word(
        {"variable": text(255), "default_target_id": TARGET, "target_ids": TARGETS},
    ),
    "condition_call_digits": Word(
        {"length": whole(0, MAX_KEYS), "key": keys(MAX_KEYS), "false_target_id": TARGET}
    ),
    "condition_call_status": Word(
        {"status": word(*CALL_STATUSES), "false_target_id": TARGET}, (("status",),)
    ),
    "condition_datetime": Word(
        {
            "condition": _CONDITION,
            "minute": whole(-1, 59),
            "hour": whole(-1, 23),
            "day": whole(0, 31),
            "month": whole(0, 12),
            "weekdays": list_of(whole(0, 6), 7),
            "false_target_id": TARGET,
        }
    ),
    "condition_variable": Word(
        {
            "condition": _CONDITION,
            "variable": text(MAX_TEXT),
            "value_type": word("string", "number", "length"),
            "value_string": text(MAX_TEXT),
            "value_number": NUMBER,
            "value_length": whole(0, 1_000_000),
            "false_target_id": TARGET,
        },
        (("condition",), ("variable",)),
    ),
    "connect": Word(
        {
            "source": ADDRESS,
            "destinations": list_of(CALLABLE, MAX_DESTINATIONS, 1),
            "early_media": FLAG,
            "relay_reason": FLAG,
            "anonymous": word(*ANONYMOUS),
        },
        (("destinations",),),
    ),
    "digits_receive": Word(
        {
            "duration": whole(0, MAX_DIGITS_WAIT_MS, "milliseconds"),
            "key": keys(len("0123456789ABCD*#")),
            "length": whole(0, MAX_KEYS),
        }
    ),
    "digits_send": Word(
        {
            "digits": keys(MAX_KEYS, 1),
            "duration": whole(100, 1000, "milliseconds"),
            "interval": whole(0, 5000, "milliseconds"),
        },
        (("digits",),),
    ),
    "echo": Word({"duration": whole(1, MAX_ECHO_MS, "milliseconds")}, (("duration",),)),
    "fetch": Word({"event_url": URI, "event_method": word("", "POST", "GET")}, (("event_url",),)),
    "fetch_flow": Word({"flow_id": SOME_ID}, (("flow_id",),)),
    "goto": Word({"target_id": TARGET, "loop_count": whole(0, MAX_LOOPS)}, (("target_id",),)),
    "hangup": Word(
        {"reason": word(*HANGUP_REASONS, aliases={"no_answer": "noanswer"}), "reference_id": ID},
    ),
    "mute": Word(),
    "play": Word({"stream_urls": list_of(MEDIUM, MAX_MEDIA, 1)}, (("stream_urls",),)),
    "queue_join": Word({"queue_id": SOME_ID}, (("queue_id",),)),
    "recording_start": Word(
        {
            "format": word("", "wav", about="'wav'; mp3 and ogg are not built yet"),
            "end_of_silence": whole(0, MAX_SILENCE_SECONDS, "seconds"),
            "end_of_key": word("", "none", "any", "*", "#"),
            "duration": whole(0, MAX_RECORDING_SECONDS, "seconds"),
            "beep_start": FLAG,
            "on_end_flow_id": nothing("a flow at the end of a recording is not built yet"),
        }
    ),
    "recording_stop": Word(),
    "sleep": Word({"duration": whole(1, MAX_WAIT_MS, "milliseconds")}, (("duration",),)),
    "stop": Word(),
    "talk": Word(
        {
            "text": text(MAX_TEXT, 1),
            "language": LANGUAGE,
            "provider": text(64),
            "voice_id": text(255),
            "digits_handle": word("", "next"),
            "async": FLAG,
        },
        (("text",),),
    ),
    "variable_set": Word(
        {"key": NAME, "value": VALUE, "variables": VARIABLES}, (("key", "variables"),)
    ),
    "webhook_send": Word(
        {
            "sync": FLAG,
            "uri": URI,
            "method": word("", "POST", "GET", "PUT", "DELETE"),
            "data_type": MEDIA_TYPE,
            "data": text(MAX_DATA),
        },
        (("uri",),),
    ),
}
"""Every word that can be executed. Members of an option that are not listed are kept, unread."""

_AI = "assistants are not built yet"
_CONFERENCE = "conferences are not built yet"
_MEDIA = "media streams to other hosts are not built yet"
_TRANSCRIPTION = "transcription is not built yet"

LATER: Mapping[str, str] = {
    "ai_summary": _AI,
    "ai_talk": _AI,
    "ai_task": _AI,
    "block": "nothing could tell it to go on yet",
    "call": "calls started by a flow are not built yet; connect adds a person to this one",
    "case_create": "cases are not built yet",
    "confbridge_join": _CONFERENCE,
    "conference_join": _CONFERENCE,
    "conversation_send": "conversations are not built yet",
    "email_send": "e-mail is not built yet",
    "external_media_start": _MEDIA,
    "external_media_stop": _MEDIA,
    "message_send": "text messages are not built yet",
    "stream_echo": _MEDIA,
    "transcribe_recording": _TRANSCRIPTION,
    "transcribe_start": _TRANSCRIPTION,
    "transcribe_stop": _TRANSCRIPTION,
}
"""Documented words that are refused, and why."""

ALIASES: Mapping[str, str] = {"set_variables": "variable_set", "set_variable": "variable_set"}
"""Words of the guide's prose, and the documented word each stands for."""
