"""A call on its way to a detection and back: what is asked of it waits, and is not lost."""

from __future__ import annotations

import pytest

from services.dialer.drivers.asterisk.link import Answer
from services.dialer.drivers.asterisk.plays import Kind, Play
from services.dialer.telephony import AnsweredBy, CommandFailed, Detected
from tests.unit.dialer.asterisk.bench import Bench


def test_a_detection_keeps_commands_back_until_its_verdict() -> None:
    bench = Bench()
    bench.answered()
    bench.call.detect()
    # Before the PBX has said anything: it may be slow.
    bench.call.plays.start(Play("p1", Kind.MEDIA, "play", media=["sound:/c/a"]))
    assert bench.link.asked() == ["POST continue"]
    bench.link.answer(0, Answer(204))
    bench.link.sent.clear()
    bench.call.entered(["detected", "MACHINE", "LONGGREETING-1500-1500"])
    detected = bench.told[-1]
    assert isinstance(detected, Detected)
    assert detected.by is AnsweredBy.MACHINE
    assert len(bench.link.sent) == 3
    assert bench.names().count("Answered") == 1


def test_what_is_asked_of_a_call_before_it_has_entered_waits_for_the_verdict_too() -> None:
    bench = Bench()
    bench.place()
    bench.call.state_changed("Up")
    bench.link.sent.clear()
    bench.call.detect()
    bench.call.plays.start(Play("h1", Kind.MUSIC, "hold"))
    assert bench.link.sent == []
    bench.call.entered(["answered"])
    assert bench.link.asked()[-1] == "POST continue"
    bench.call.entered(["answered"])  # told of once more, late
    assert bench.link.asked()[-1] == "POST continue"
    bench.call.entered(["detected", "HUMAN", "HUMAN-800-800"])
    assert "POST moh" in bench.link.asked()


def test_a_detection_that_is_refused_keeps_nothing_back() -> None:
    bench = Bench()
    bench.answered()
    bench.call.detect()
    bench.call.plays.start(Play("h1", Kind.MUSIC, "hold"))
    bench.link.answer(0, Answer(500, {"error": "no such context"}))
    assert CommandFailed(bench.call.call_id, "detect", "", "no such context") in bench.told
    assert "POST moh" in bench.link.asked()


@pytest.mark.parametrize(
    ("status", "cause", "by"),
    [
        ("HUMAN", "HUMAN-800-800", AnsweredBy.HUMAN),
        ("MACHINE", "LONGGREETING-1500-1500", AnsweredBy.MACHINE),
        ("MACHINE", "MAXWORDS-3-3", AnsweredBy.MACHINE),
        ("MACHINE", "INITIALSILENCE-2500-2500", AnsweredBy.UNKNOWN),
        ("NOTSURE", "TOOLONG-4900", AnsweredBy.UNKNOWN),
        ("HANGUP", "", AnsweredBy.UNKNOWN),
    ],
)
def test_verdicts(status: str, cause: str, by: AnsweredBy) -> None:
    bench = Bench()
    bench.answered()
    bench.call.detect()
    bench.call.entered(["detected", status, cause])
    assert bench.told[-1] == Detected(bench.call.call_id, bench.clock.now(), by)


def test_what_waits_for_a_verdict_when_the_link_breaks_is_sent_once() -> None:
    bench = Bench()
    bench.answered()
    bench.call.detect()
    bench.call.mute(is_on=True)
    bench.call.plays.start(Play("p1", Kind.MEDIA, "play", media=["sound:/c/a"]))
    bench.break_link()
    away = bench.snapshot(context="outbound-detect", app_name="AMD", app_data="")
    bench.reconnect(away)
    assert bench.link.sent == []
    bench.call.entered(["detected", "HUMAN", "HUMAN-800-800"])
    asked = bench.link.asked()
    assert asked.count("POST call.p1") == 1
    assert "POST mute" in asked


def test_a_verdict_that_comes_before_the_link_has_settled_loses_nothing() -> None:
    bench = Bench()
    bench.answered()
    bench.call.detect()
    bench.call.recordings.start(
        "r1",
        "outbound-1",
        [],
        audio_format="wav",
        max_duration_ms=0,
        silence_ms=0,
        end_keys="",
    )
    bench.call.plays.start(Play("p1", Kind.MEDIA, "play", media=["sound:/c/a"]))
    bench.break_link()
    bench.call.entered(["detected", "HUMAN", "HUMAN-800-800"])
    assert bench.link.sent == []
    bench.reconnect(bench.snapshot(app_data="outbound-1,detected,HUMAN,HUMAN-800-800"))
    asked = bench.link.asked()
    assert asked.count("POST call.p1") == 1
    assert asked.count("POST call.rec.r1") == 1
    assert bench.names().count("Detected") == 1
