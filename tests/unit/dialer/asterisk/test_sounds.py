"""Speech and media: made once, kept within their size."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from services.common.clock import SystemClock
from services.dialer.drivers.asterisk.media_web import MediaWeb
from services.dialer.drivers.asterisk.sounds import Sounds
from services.dialer.drivers.asterisk.speech import EspeakEngine, SoundWorker, SpeechFailed
from services.dialer.telephony import BEEP
from tests.support import sound


class Engine:
    """See SpeechEngine: writes files of a known size, when the test lets it."""

    name = "fake-1"

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def voice_for(self, language: str, voice: str) -> str:
        return voice or language or "en"

    async def speak(self, text: str, voice: str, target: Path) -> None:
        self.spoken.append(f"{voice}:{text}")
        await self.gate.wait()
        if text == "broken":
            raise SpeechFailed("it cannot be said")
        put(target)


def put(target: Path) -> None:
    target.write_bytes(bytes(1000))


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.wav"))


def make(folder: Path, engine: Engine, most_bytes: int = 1_000_000) -> Sounds:
    return Sounds(
        folder,
        folder / "media",
        engine,
        SoundWorker(),
        SystemClock(),
        web=MediaWeb(),
        most_bytes=most_bytes,
    )


async def test_one_text_wanted_at_once_by_many_is_spoken_once(tmp_path: Path) -> None:
    engine = Engine()
    engine.gate.clear()
    sounds = make(tmp_path, engine)
    asked = [asyncio.create_task(sounds.spoken("Hello", "", "")) for _ in range(10)]
    await asyncio.sleep(0)
    asked[0].cancel()
    engine.gate.set()
    paths = {await task for task in asked[1:]}
    assert len(paths) == 1
    assert engine.spoken == ["en:Hello"]
    await sounds.spoken("Hello", "", "")
    assert engine.spoken == ["en:Hello"]


async def test_another_voice_or_language_is_another_file(tmp_path: Path) -> None:
    sounds = make(tmp_path, Engine())
    asked = [("a", "", ""), ("a", "de", ""), ("a", "", "x"), ("b", "", "")]
    assert len({await sounds.spoken(*each) for each in asked}) == 4


async def test_a_failure_is_told_to_all_and_not_kept(tmp_path: Path) -> None:
    engine = Engine()
    sounds = make(tmp_path, engine)
    for _ in range(2):
        with pytest.raises(SpeechFailed, match="cannot be said"):
            await sounds.spoken("broken", "", "")
    assert len(engine.spoken) == 2


async def test_what_was_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    sounds = make(tmp_path, Engine(), most_bytes=60_000)
    first = await sounds.spoken("first", "", "")
    used = await sounds.spoken("used", "", "")
    for path in (first, used):
        os.utime(path, (1, 1))
    for number in range(98):
        await sounds.spoken(f"text {number}", "", "")
        await sounds.spoken("used", "", "")
    assert size(tmp_path) <= 60_000
    assert used.exists()
    assert not first.exists()


async def test_the_worker_speaks_like_a_telephone_and_survives_its_death(tmp_path: Path) -> None:
    worker = SoundWorker()
    engine = EspeakEngine(worker)
    target = tmp_path / "a.wav"
    await engine.speak("Good morning.", engine.voice_for("en-US", ""), target)
    samples = sound.read_wav(target)
    assert sound.loudness(samples) > 300
    assert 0.5 < len(samples) / sound.RATE < 3
    assert worker._process is not None
    worker._process.kill()
    await worker._process.wait()
    await engine.speak("Again.", "en-us", tmp_path / "b.wav")
    assert (tmp_path / "b.wav").exists()
    await worker.close()


@pytest.mark.parametrize(
    ("language", "voice", "expected"),
    [
        ("", "", "en-us"),
        ("ko-KR", "", "ko-kr"),
        ("de_DE", "", "de-de"),
        ("de-DE", "f2", "f2"),
        ("../../etc", "", "en-us"),
    ],
)
def test_voices_follow_languages(language: str, voice: str, expected: str) -> None:
    assert EspeakEngine(SoundWorker()).voice_for(language, voice) == expected


async def test_the_beep_is_a_tone(tmp_path: Path) -> None:
    sounds = make(tmp_path, Engine())
    samples = sound.read_wav(await sounds.medium(BEEP))
    assert sound.strength(samples, 1000) > 5_000


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "link", "none.wav", ""])
async def test_names_stay_inside_the_media_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "secret").write_text("hush")
    (tmp_path / "media" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(SpeechFailed, match="media folder"):
        await make(tmp_path, Engine()).medium(name)
