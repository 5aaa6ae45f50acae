"""What the PBXs tell: events to the calls they are about, and how things stand after a reconnect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.dialer.drivers.asterisk import requests, snapshots
from services.dialer.drivers.asterisk.archive import Stored
from services.dialer.drivers.asterisk.link import Event, Link
from services.dialer.drivers.asterisk.plays import Kind
from services.dialer.drivers.asterisk.recordings import parse_name, parse_snoop
from services.dialer.drivers.asterisk.snapshots import Snapshot, as_call_id
from services.dialer.telephony import Recorded, Taken, TelephonyUnavailable

if TYPE_CHECKING:
    from services.dialer.drivers.asterisk.calls import HeldCall
    from services.dialer.drivers.asterisk.core import Core

_ECHO = ".echo"


def receive(driver: Core, link: Link, event: Event) -> None:
    """One event of a link."""
    kind = event.get("type", "")
    if kind in ("RecordingFinished", "RecordingFailed"):
        _recorded(driver, link, event["recording"]["name"], failed=kind == "RecordingFailed")
        return
    channel = _channel_of(event)
    if kind == "StasisStart" and as_call_id(channel) is None:
        _helper_started(driver, link, channel, event)
        return
    call_id = as_call_id(channel)
    call = driver.held.get(call_id) if call_id is not None else None
    if call is None and kind == "ChannelLeftBridge":
        driver.bridges.stranger_left(event["bridge"]["id"])
    # A call that was moved is told of to both applications for a moment.
    if call is None or call.link is not link:
        return
    handle = _HANDLERS.get(kind)
    if handle is not None:
        handle(driver, call, event)


def _channel_of(event: Event) -> str:
    if "playback" in event:
        # The call's id and the play's: the channel may be gone by now.
        return str(event["playback"]["target_uri"]).partition(":")[2]
    channel = event.get("channel") or event.get("peer") or {}
    return str(channel.get("id", ""))


def _entered(driver: Core, call: HeldCall, event: Event) -> None:
    call.entered(event.get("args", []))


def _state(driver: Core, call: HeldCall, event: Event) -> None:
    call.state_changed(event["channel"]["state"])


def _dialing(driver: Core, call: HeldCall, event: Event) -> None:
    call.progressed(event.get("dialstatus", ""), event.get("forward", ""))


def _hangup_requested(driver: Core, call: HeldCall, event: Event) -> None:
    call.history.hangup_requested(is_soft=bool(event.get("soft")))


def _destroyed(driver: Core, call: HeldCall, event: Event) -> None:
    call.destroyed(int(event.get("cause", 0)), event.get("tech_cause"))


def _digit(driver: Core, call: HeldCall, event: Event) -> None:
    call.digit(event["digit"])


def _played(driver: Core, call: HeldCall, event: Event) -> None:
    playback = event["playback"]
    call.plays.finished(playback["id"], playback["state"], is_leaving=call.is_leaving)


def _left_bridge(driver: Core, call: HeldCall, event: Event) -> None:
    driver.bridges.left(call, event["bridge"]["id"])


def _user_event(driver: Core, call: HeldCall, event: Event) -> None:
    if event.get("eventname") == requests.TAKEN_EVENT:
        driver.drop(call.call_id)
        driver.tell(Taken(call.call_id, str(event.get("userevent", {}).get("owner", ""))))


_HANDLERS: Mapping[str, Callable[[Core, HeldCall, Event], None]] = {
    "StasisStart": _entered,
    "ChannelStateChange": _state,
    "Dial": _dialing,
    "ChannelHangupRequest": _hangup_requested,
    "ChannelDestroyed": _destroyed,
    "ChannelDtmfReceived": _digit,
    "PlaybackFinished": _played,
    "ChannelLeftBridge": _left_bridge,
    "ChannelUserevent": _user_event,
}


def _helper_started(driver: Core, link: Link, channel: str, event: Event) -> None:
    """A channel that helps a call is there."""
    snoop = parse_snoop(channel)
    if snoop is not None and event.get("args", [])[:1] == ["recording"]:
        call = driver.held.get(snoop[0])
        if call is not None:
            call.recordings.listening(snoop[1])
        else:
            link.send(requests.hang_up(channel))
    elif channel.endswith(_ECHO):
        call_id = as_call_id(channel.removesuffix(_ECHO))
        call = driver.held.get(call_id) if call_id is not None else None
        if call is not None:
            call.plays.echo_channel_started()
        else:
            link.send(requests.hang_up(channel))


# ------------------------------------------------------------------------------------- recordings


def _recorded(driver: Core, link: Link, name: str, *, failed: bool) -> None:
    """A recording is over: fetch its file."""
    parsed = parse_name(name)
    if parsed is None:
        return
    application, call_id, recording_id = parsed
    call = driver.held.get(call_id)
    # Every application is told. The one that holds the call fetches it; what nobody holds any more
    # is fetched by the one whose name it bears.
    if call is None:
        is_ours = application == link.application and call_id not in driver.given_away
    else:
        is_ours = call.link is link and recording_id in call.recordings.on
    if not is_ours:
        return
    if failed or not driver.archive.is_there:
        _tell_recorded(driver, call_id, recording_id, Stored())
    else:
        driver.start(_fetch(driver, link, name, call_id, recording_id))


async def _fetch(driver: Core, link: Link, name: str, call_id: UUID, recording_id: str) -> None:
    try:
        stored = await driver.archive.fetch(link, name, call_id, recording_id)
    except TelephonyUnavailable:
        return  # left at the PBX; found when the link is back
    _tell_recorded(driver, call_id, recording_id, stored)


def _tell_recorded(driver: Core, call_id: UUID, recording_id: str, stored: Stored) -> None:
    call = driver.held.get(call_id)
    if call is not None and recording_id in call.recordings.on:
        call.recordings.finished(recording_id, stored.location, stored.duration_ms)
    elif stored.location:
        now = driver.clock.now()
        driver.tell(Recorded(call_id, now, recording_id, stored.location, stored.duration_ms))


# -------------------------------------------------------------------------------- after a reconnect


async def settle(driver: Core, link: Link) -> None:
    """Find out what was missed: told once, late, and what is still wanted is asked for again."""
    status = await link.fetch(requests.status())
    started = str(status.body["status"]["startup_time"])
    await link.fetch(requests.leave_out_events(link.application))
    channels = await link.fetch(requests.list_channels())
    bridges = await link.fetch(requests.list_bridges())
    listed = snapshots.call_snapshots(channels.body)
    pairs = snapshots.bridged_pairs(bridges.body)
    pbx = driver.network.pbxs[link.pbx.name]
    is_restarted = pbx.started not in ("", started)
    pbx.started = started
    own = [call for call in driver.held.values() if call.link is link]
    playing = await _playing(link, own, listed)
    for call in own:
        if call.is_over:
            continue
        if call.call_id not in listed:
            call.vanished("network_restart" if is_restarted else "lost")
        elif listed[call.call_id].application != link.application:
            # Taken by another dialer, whose word was lost with the link.
            driver.drop(call.call_id)
            driver.tell(Taken(call.call_id, ""))
        else:
            call.reconcile(listed[call.call_id], is_play_on=call.call_id in playing)
    for call in own:
        # Last: connections end what the calls hear.
        if driver.held.get(call.call_id) is call:
            driver.bridges.reconcile(call, pairs)
    for call_id in driver.strays:
        link.send(requests.hang_up(str(call_id)))
    driver.start(_fetch_left_behind(driver, link, set(listed)))


async def _playing(link: Link, calls: list[HeldCall], listed: Mapping[UUID, Snapshot]) -> set[UUID]:
    """Calls on which the play that reached the PBX last is still on."""
    on: set[UUID] = set()

    async def ask(call: HeldCall, play_id: str) -> None:
        if (await link.ask(requests.get_playback(call.plays.playback_id(play_id)))).is_good:
            on.add(call.call_id)

    asked: list[Any] = []
    for call in calls:
        if call.call_id in listed:
            kind, _, play_id = listed[call.call_id].play.partition(":")
            if kind == Kind.MUSIC:
                on.add(call.call_id)
            elif kind == Kind.MEDIA:
                asked.append(ask(call, play_id))
    await asyncio.gather(*asked)
    return on


async def _fetch_left_behind(driver: Core, link: Link, live: set[UUID]) -> None:
    """Recordings that ended while nobody heard of it."""
    if not driver.archive.is_there:
        return
    for name in await driver.archive.left_behind(link):
        parsed = parse_name(name)
        if parsed is not None:
            call = driver.held.get(parsed[1])
            is_on = call is not None and parsed[2] in call.recordings.on
            # Of a call that lives with another dialer the other one fetches it.
            if is_on or parsed[1] not in live:
                await _fetch(driver, link, name, parsed[1], parsed[2])
