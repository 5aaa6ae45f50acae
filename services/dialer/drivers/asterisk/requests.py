"""What is asked of Asterisk: every request of this driver, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

UNWANTED_EVENTS = [
    "ChannelVarset",
    "ChannelDialplan",
    "ChannelConnectedLine",
    "ChannelCallerId",
    "ChannelCreated",
    "ChannelHold",
    "ChannelUnhold",
    "ChannelTransfer",
    "PlaybackStarted",
    "PlaybackContinuing",
    "RecordingStarted",
    "BridgeCreated",
    "BridgeDestroyed",
    "BridgeMerged",
    "EndpointStateChange",
    "ContactStatusChange",
    "PeerStatusChange",
    "DeviceStateChanged",
    "ChannelToneDetected",
    "StasisEnd",
]
"""Told of every call and of no use here; leaving them out halves the traffic."""

CALL_CONTEXT = "outbound-call"
DETECT_CONTEXT = "outbound-detect"
ECHO_ENDPOINT = "Local/s@outbound-echo"
TAKEN_EVENT = "outbound_taken"


@dataclass(frozen=True, slots=True)
class Request:
    """One REST request."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None

    @property
    def works_anywhere(self) -> bool:
        """Whether it can be done to a channel that is in no application."""
        return self.method == "GET" or (self.method == "DELETE" and self.path.count("/") == 1)

    @property
    def leads_away(self) -> bool:
        """Whether it takes a channel out of its application."""
        return self.path.endswith("/continue")

    def frame(self, request_id: str) -> str:
        """Its form on the websocket."""
        message: dict[str, Any] = {
            "type": "RESTRequest",
            "transaction_id": request_id,
            "request_id": request_id,
            "method": self.method,
            "uri": self.path,
        }
        if self.query:
            query = [{"name": name, "value": value} for name, value in self.query.items()]
            message["query_strings"] = query
        if self.body is not None:
            message["content_type"] = "application/json"
            message["message_body"] = orjson.dumps(self.body).decode()
        return orjson.dumps(message).decode()


def originate(
    channel: str, endpoint: str, ring_seconds: int, variables: Mapping[str, str]
) -> Request:
    """Let a phone ring; answered, the call goes to the application that its variable names then.

    409 when the id is in use. Through the dialplan and not straight into the application: that one may
    be closed for a moment, and an answered call must not be dropped for it.
    """
    query = {
        "endpoint": endpoint,
        "context": CALL_CONTEXT,
        "extension": "s",
        "priority": "1",
        "timeout": str(ring_seconds),
    }
    return Request("POST", _channel(channel), query, {"variables": dict(variables)})


def hang_up(channel: str) -> Request:
    """End a channel whatever its state."""
    return Request("DELETE", _channel(channel), {"reason_code": "16"})


def cancel(channel: str, max_ms: int) -> Request:
    """End a channel unless it is up; decided where the answer arrives, so that no answer is cut off.

    A read whose expression sets the longest duration: to nothing for a call that rings, to what it is
    for one that was answered.
    """
    seconds = max_ms / 1000
    duration = '${IF($["${CHANNEL(state)}" = "Up"]?' + f"{seconds:.3f}" + ":0.01)}"
    expression = "EVAL(${SET(TIMEOUT(absolute)=" + duration + ")})"
    return Request("GET", _channel(channel, "variable"), {"variable": expression})


def set_variable(channel: str, name: str, value: str) -> Request:
    """Set a variable."""
    return Request("POST", _channel(channel, "variable"), {"variable": name, "value": value})


def hand_to(channel: str, application: str) -> Request:
    """Name the application that a call belongs to, also while it rings: a read, as `cancel` is one,
    because variables can be set only of what is in an application."""
    expression = "EVAL(${SET(OUTBOUND_APP=" + application + ")})"
    return Request("GET", _channel(channel, "variable"), {"variable": expression})


def get_channel(channel: str) -> Request:
    """Where a channel stands; 404 when it is gone."""
    return Request("GET", _channel(channel))


def play(channel: str, playback: str, media: Sequence[str]) -> Request:
    """Play one after the other."""
    return Request("POST", _channel(channel, "play", playback), {"media": ",".join(media)})


def stop_playback(playback: str) -> Request:
    """End a playback."""
    return Request("DELETE", f"playbacks/{_quoted(playback)}")


def get_playback(playback: str) -> Request:
    """Whether it is still on; 404 when it is over."""
    return Request("GET", f"playbacks/{_quoted(playback)}")


def start_music(channel: str) -> Request:
    """Music on hold."""
    return Request("POST", _channel(channel, "moh"))


def stop_music(channel: str) -> Request:
    """No more of it."""
    return Request("DELETE", _channel(channel, "moh"))


def send_digits(channel: str, digits: str, duration_ms: int, gap_ms: int) -> Request:
    """Press keys."""
    query = {"dtmf": digits, "duration": str(duration_ms), "between": str(gap_ms)}
    return Request("POST", _channel(channel, "dtmf"), query)


def mute(channel: str, *, is_on: bool) -> Request:
    """Keep what it says from everybody, or no longer."""
    return Request("POST" if is_on else "DELETE", _channel(channel, "mute"), {"direction": "in"})


def detect(channel: str) -> Request:
    """Hand it to the dialplan that tells people from machines; it comes back by itself."""
    query = {"context": DETECT_CONTEXT, "extension": "s", "priority": "1"}
    return Request("POST", _channel(channel, "continue"), query)


def snoop(channel: str, snoop_channel: str, application: str) -> Request:
    """A channel that hears both sides."""
    query = {"spy": "both", "app": application, "appArgs": "recording"}
    return Request("POST", _channel(channel, "snoop", snoop_channel), query)


def record(snoop_channel: str, name: str, *, max_seconds: int, silence_seconds: int) -> Request:
    """Record what a channel hears; 0 sets no limit."""
    query = {
        "name": name,
        "format": "wav",
        "ifExists": "overwrite",
        "maxDurationSeconds": str(max_seconds),
        "maxSilenceSeconds": str(silence_seconds),
    }
    return Request("POST", _channel(snoop_channel, "record"), query)


def stop_recording(name: str) -> Request:
    """End a recording and keep it."""
    return Request("POST", f"recordings/live/{_quoted(name)}/stop")


def stored_recordings() -> Request:
    """All that were finished and not removed."""
    return Request("GET", "recordings/stored")


def remove_recording(name: str) -> Request:
    """Remove a finished one."""
    return Request("DELETE", f"recordings/stored/{_quoted(name)}")


def echo_channel(channel: str, application: str) -> Request:
    """A channel that says what it hears."""
    query = {"endpoint": ECHO_ENDPOINT, "app": application, "appArgs": "echo"}
    return Request("POST", _channel(channel), query)


def make_bridge(bridge: str) -> Request:
    """A bridge in which all hear all."""
    return Request("POST", f"bridges/{_quoted(bridge)}", {"type": "mixing"})


def add_to_bridge(bridge: str, channels: Sequence[str]) -> Request:
    """Connect them."""
    return Request("POST", f"bridges/{_quoted(bridge)}/addChannel", {"channel": ",".join(channels)})


def remove_bridge(bridge: str) -> Request:
    """Take it apart; its channels stay up."""
    return Request("DELETE", f"bridges/{_quoted(bridge)}")


def list_channels() -> Request:
    """Every channel."""
    return Request("GET", "channels")


def list_bridges() -> Request:
    """Every bridge."""
    return Request("GET", "bridges")


def status() -> Request:
    """When it was started."""
    return Request("GET", "asterisk/info", {"only": "status"})


def leave_out_events(application: str) -> Request:
    """Tell this application only what this driver reads."""
    unwanted = [{"type": name} for name in UNWANTED_EVENTS]
    path = f"applications/{_quoted(application)}/eventFilter"
    return Request("PUT", path, body={"disallowed": unwanted})


def tell_taken(application: str, channel: str, owner: str) -> Request:
    """Tell the dialer that has a call that it is another's now."""
    query = {"application": application, "source": f"channel:{channel}"}
    return Request("POST", f"events/user/{TAKEN_EVENT}", query, {"variables": {"owner": owner}})


def move(channel: str, application: str) -> Request:
    """Give a channel that is in an application to another one; whatever it is doing goes on."""
    return Request("POST", _channel(channel, "move"), {"app": application, "appArgs": "moved"})


def _channel(channel: str, *parts: str) -> str:
    return "/".join(["channels", *map(_quoted, (channel, *parts))])


def _quoted(text: str) -> str:
    return quote(text, safe="")
