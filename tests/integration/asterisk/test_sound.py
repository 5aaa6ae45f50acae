"""What is said, played, pressed and recorded, heard with ears."""

from __future__ import annotations

import asyncio
import threading
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import pytest

from services.dialer.telephony import (
    BEEP,
    AnsweredBy,
    Bridged,
    CommandFailed,
    Detected,
    DigitPressed,
    Ended,
    Leg,
    PlayFinished,
    Recorded,
)
from tests.integration.asterisk.stage import Stage
from tests.support import sound
from tests.support.telephony import Ear
from tests.support.waiting import eventually

LOUD = 300
"""Far above the hiss of the codec, far below any speech."""


def rtp(stage: Stage, call_id: UUID) -> tuple[int, int]:
    """Packets sent to and received from a phone."""
    with stage.pbx.client() as client:
        facts = client.get(f"/channels/{call_id}/rtp_statistics").json()
    return facts["txcount"], facts["rxcount"]


async def recorded(stage: Stage, ear: Ear, call_id: UUID, name: str) -> sound.Samples[int]:
    """The recording once it is over."""
    ear.telephony.stop_recording(call_id, name)
    await ear.hear(Recorded, call_id)
    (found,) = [event for event in ear.events if isinstance(event, Recorded)]
    assert found.recording_id == name
    return stage.heard(found)


async def test_a_text_is_heard_by_the_phone_which_plays_it_back(stage: Stage, ear: Ear) -> None:
    call_id = await stage.answered(ear, "203")
    ear.telephony.start_recording(call_id, "r1", audio_format="wav")
    ear.telephony.say(call_id, "p1", "Good morning, this is a test call.", language="en-US")
    assert (await ear.hear(PlayFinished, call_id)).completed
    sent, received = rtp(stage, call_id)
    assert sent > 50
    assert received > 50  # only what was heard comes back
    samples = await recorded(stage, ear, call_id, "r1")
    assert sound.loudness(samples) > LOUD
    assert len(samples) > sound.RATE


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('<speak version="1.0">One <break time="200ms"/> two.</speak>', "en-GB"),
        ("안녕하세요", "ko-KR"),
        ("Grüß Gott", "de-AT"),
        ("One & two < three", ""),
    ],
)
async def test_ssml_and_languages_are_spoken(
    stage: Stage, ear: Ear, text: str, language: str
) -> None:
    call_id = await stage.answered(ear, "203")
    ear.telephony.say(call_id, "p1", text, language=language)
    assert (await ear.hear(PlayFinished, call_id)).completed
    (spoken,) = (stage.folder / "cache").glob("*.wav")
    assert sound.loudness(sound.read_wav(spoken)) > LOUD


async def test_one_text_wanted_by_many_is_spoken_once(stage: Stage, ear: Ear) -> None:
    calls = await asyncio.gather(*(stage.answered(ear, "203") for _ in range(5)))
    for call_id in calls:
        ear.telephony.say(call_id, "p1", "The same for all.")
    for call_id in calls:
        assert (await ear.hear(PlayFinished, call_id)).completed
    assert len(list((stage.folder / "cache").glob("*.wav"))) == 1


async def test_a_language_nobody_speaks_is_a_failed_command(stage: Stage, ear: Ear) -> None:
    call_id = await stage.answered(ear, "203")
    ear.telephony.say(call_id, "p1", "Hello", language="xx-YY")
    failed = await ear.hear(CommandFailed, call_id)
    assert (failed.command, failed.reference) == ("say", "p1")
    assert "no voice" in failed.detail


async def test_a_key_interrupts_what_is_said(stage: Stage, ear: Ear) -> None:
    call_id = await stage.answered(ear, "211")
    ear.telephony.say(call_id, "p1", "A very long text. " * 40)
    digit = await ear.hear(DigitPressed, call_id)
    ear.telephony.stop_play(call_id)
    finished = await ear.hear(PlayFinished, call_id)
    assert (digit.digit, finished.completed) == ("1", False)
    await ear.hear(DigitPressed, call_id, 3)
    keys = [event.digit for event in ear.of(call_id) if isinstance(event, DigitPressed)]
    assert keys == ["1", "5", "#"]


async def test_keys_come_by_sip_info_too(stage: Stage, ear: Ear) -> None:
    call_id = await stage.answered(ear, "207")
    assert (await ear.hear(DigitPressed, call_id)).digit == "7"


async def test_keys_are_sent_to_the_phone(stage: Stage, ear: Ear) -> None:
    call_id = await stage.answered(ear, "203")
    before, _ = rtp(stage, call_id)
    ear.telephony.send_digits(call_id, "d1", "12#")
    assert (await ear.hear(PlayFinished, call_id)).completed
    after, _ = rtp(stage, call_id)
    assert after - before > 10


async def test_a_recording_has_both_sides(stage: Stage, ear: Ear) -> None:
    call_id = await stage.answered(ear, "212")
    write_tone(stage, "own.wav", 440)
    ear.telephony.start_recording(call_id, "r1", audio_format="wav")
    ear.telephony.play(call_id, "p1", ["own.wav"])
    await ear.hear(PlayFinished, call_id)
    samples = await recorded(stage, ear, call_id, "r1")
    assert sound.strength(samples, 1000) > LOUD  # the phone's
    assert sound.strength(samples, 440) > LOUD  # ours
    assert sound.strength(samples, 700) < LOUD / 3


async def test_recordings_end_by_key_by_time_and_with_the_call(stage: Stage, ear: Ear) -> None:
    by_key = await stage.answered(ear, "211")
    ear.telephony.start_recording(by_key, "key", audio_format="wav", end_keys="5")
    by_time = await stage.answered(ear, "212")
    ear.telephony.start_recording(by_time, "time", audio_format="wav", max_duration_ms=1_000)
    by_silence = await stage.answered(ear, "210")
    ear.telephony.start_recording(by_silence, "quiet", audio_format="wav", silence_ms=1_000)
    with_call = await stage.answered(ear, "201")
    ear.telephony.start_recording(with_call, "call", audio_format="wav", has_beep=True)
    for call_id in (by_key, by_time, by_silence, with_call):
        found = await ear.hear(Recorded, call_id)
        assert found.location, found
        assert (stage.folder / "recordings" / found.location).is_file()
    timed = await ear.hear(Recorded, by_time)
    assert 900 <= timed.duration_ms <= 1_300
    await ear.hear(Ended, with_call)
    assert ear.kinds(with_call)[-2:] == ["Recorded", "Ended"]
    with stage.pbx.client() as client:
        await eventually(lambda: not client.get("/recordings/stored").json())


async def test_waiting_callers_hear_music(stage: Stage, ear: Ear) -> None:
    call_id = await stage.answered(ear, "203")
    ear.telephony.start_recording(call_id, "r1", audio_format="wav")
    ear.telephony.hold(call_id, "h1")
    await eventually(lambda: rtp(stage, call_id)[0] > 60, "music")
    ear.telephony.stop_play(call_id)
    assert not (await ear.hear(PlayFinished, call_id)).completed
    assert sound.loudness(await recorded(stage, ear, call_id, "r1")) > LOUD


async def test_the_callee_hears_itself(stage: Stage, ear: Ear) -> None:
    call_id = await stage.answered(ear, "212")
    before, _ = rtp(stage, call_id)
    ear.telephony.echo(call_id, "e1", 1_000)
    await ear.hear(PlayFinished, call_id)
    during, _ = rtp(stage, call_id)
    assert during - before > 30
    ear.telephony.echo(call_id, "e2", 60_000)
    ear.telephony.play(call_id, "p1", [BEEP])
    replaced = await ear.hear(PlayFinished, call_id, 2)
    assert (replaced.play_id, replaced.completed) == ("e2", False)
    assert (await ear.hear(PlayFinished, call_id, 3)).play_id == "p1"
    with stage.pbx.client() as client:
        await eventually(lambda: len(client.get("/channels").json()) == 1, "only the call itself")


async def test_bridged_people_hear_each_other(stage: Stage, ear: Ear) -> None:
    customer = await stage.answered(ear, "212")
    agent = await stage.answered(ear, "213", Leg.AGENT)
    ear.telephony.bridge(customer, agent)
    await ear.hear(Bridged, agent)
    ear.telephony.start_recording(customer, "r1", audio_format="wav", max_duration_ms=1_000)
    samples = stage.heard(await ear.hear(Recorded, customer))
    assert sound.strength(samples, 1000) > LOUD
    assert sound.strength(samples, 600) > LOUD


async def test_a_muted_callee_is_heard_by_nobody(stage: Stage, ear: Ear) -> None:
    customer = await stage.answered(ear, "212")
    agent = await stage.answered(ear, "203", Leg.AGENT)
    ear.telephony.bridge(customer, agent)
    await ear.hear(Bridged, agent)
    ear.telephony.mute(customer, is_on=True)
    ear.telephony.start_recording(agent, "r1", audio_format="wav", max_duration_ms=1_000)
    muted = stage.heard(await ear.hear(Recorded, agent))
    assert sound.strength(muted[sound.RATE // 2 :], 1000) < LOUD / 3
    ear.telephony.mute(customer, is_on=False)
    ear.telephony.start_recording(agent, "r2", audio_format="wav", max_duration_ms=1_000)
    assert sound.strength(stage.heard(await ear.hear(Recorded, agent, 2)), 1000) > LOUD


async def test_people_machines_and_silence_are_told_apart(stage: Stage, ear: Ear) -> None:
    expected = {
        "200": AnsweredBy.HUMAN,
        "205": AnsweredBy.MACHINE,
        "210": AnsweredBy.UNKNOWN,
    }
    calls = {code: await stage.answered(ear, code) for code in expected}
    for call_id in calls.values():
        ear.telephony.detect(call_id)
        # Said only after the verdict, however early it was asked for.
        ear.telephony.play(call_id, "p1", [BEEP])
    found = {code: (await ear.hear(Detected, call_id)).by for code, call_id in calls.items()}
    assert found == expected
    for call_id in calls.values():
        await ear.hear(PlayFinished, call_id)
        assert ear.kinds(call_id)[-2:] == ["Detected", "PlayFinished"]


async def test_nothing_is_done_to_a_call_on_its_way_to_a_detection(stage: Stage, ear: Ear) -> None:
    call_id = await stage.answered(ear, "205")
    ear.telephony.play(call_id, "p1", [BEEP])
    await ear.hear(PlayFinished, call_id)
    # It is in its application now: both are sent at once, before the PBX has said a word.
    ear.telephony.detect(call_id)
    ear.telephony.mute(call_id, is_on=True)
    ear.telephony.hold(call_id, "h1")
    await ear.hear(Detected, call_id)
    sent, _ = rtp(stage, call_id)
    await eventually(lambda: rtp(stage, call_id)[0] > sent + 20, "music")
    ear.telephony.stop_play(call_id)
    await ear.hear(PlayFinished, call_id, 2)
    assert ear.kinds(call_id)[-2:] == ["Detected", "PlayFinished"]


# ------------------------------------------------------------------------------------------ media


class Files(BaseHTTPRequestHandler):
    """A small web server: one sound, redirects, and what should not be fetched."""

    body = b""

    def do_GET(self) -> None:
        if self.path == "/tone.wav":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.body)
            return
        targets = {"/moved": "/tone.wav", "/loop": "/loop", "/file": "file:///etc/passwd"}
        if self.path in targets:
            self.send_response(302)
            self.send_header("Location", targets[self.path])
            self.end_headers()
            return
        self.send_response(200 if self.path == "/text" else 404)
        self.end_headers()
        self.wfile.write(b"this is no sound")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web(stage: Stage) -> Iterator[str]:
    write_tone(stage, "served.wav", 700)
    Files.body = (stage.folder / "media" / "served.wav").read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def write_tone(stage: Stage, name: str, frequency: float) -> None:
    """A file that is not in the telephone's form: 16 kHz, two channels."""
    (stage.folder / "media").mkdir(exist_ok=True)
    mono = sound.tone(1.0, frequency / 2)  # played at twice the rate it is the wanted frequency
    with wave.open(str(stage.folder / "media" / name), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16000)
        both = sound.Samples("h", [each for sample in mono for each in (sample, sample)])
        file.writeframes(both.tobytes())


@pytest.mark.parametrize("path", ["/tone.wav", "/moved"])
async def test_a_url_is_fetched_and_played(stage: Stage, ear: Ear, web: str, path: str) -> None:
    call_id = await stage.answered(ear, "203")
    ear.telephony.play(call_id, "p1", [web + path, BEEP])
    assert (await ear.hear(PlayFinished, call_id)).completed
    tones = [sound.read_wav(each) for each in (stage.folder / "cache").glob("*.wav")]
    assert max(sound.strength(each, 700) for each in tones) > LOUD


@pytest.mark.parametrize(
    ("medium", "detail"),
    [
        ("/none", "status 404"),
        ("/loop", "redirected too often"),
        ("/file", "not http"),
        ("/text", "decode"),
        ("../../../etc/passwd", "not within"),
        ("/etc/passwd", "not within"),
        ("nosuch.wav", "there is no file"),
    ],
)
async def test_what_cannot_be_played_is_a_failed_command(
    stage: Stage, ear: Ear, web: str, medium: str, detail: str
) -> None:
    call_id = await stage.answered(ear, "203")
    is_url = medium in ("/none", "/loop", "/file", "/text")
    ear.telephony.play(call_id, "p1", [web + medium if is_url else medium])
    failed = await ear.hear(CommandFailed, call_id)
    assert (failed.command, failed.reference) == ("play", "p1")
    assert detail in failed.detail.lower()
