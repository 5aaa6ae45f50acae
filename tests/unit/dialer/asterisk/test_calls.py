"""The state machine of a call, without a PBX."""

from __future__ import annotations

import pytest

from services.dialer.drivers.asterisk.link import LATE, UNANSWERED, UNWRITTEN, Answer
from services.dialer.drivers.asterisk.plays import Kind, Play
from services.dialer.telephony import (
    CommandFailed,
    Ended,
    HangupReason,
    HungUpBy,
    NotPlaced,
    NotPlacedReason,
    PlayFinished,
    Recorded,
)
from tests.unit.dialer.asterisk.bench import Bench

CANCEL, HANG_UP = "GET variable", "DELETE call"


def ended(bench: Bench) -> Ended:
    event = bench.told[-1]
    assert isinstance(event, Ended)
    assert bench.is_over
    return event


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(LATE, "7 ms"), NotPlacedReason.LATE),
        (Answer(UNWRITTEN), NotPlacedReason.DISCONNECTED),
        (Answer(409), NotPlacedReason.DUPLICATE),
    ],
)
def test_what_rang_nobody_is_not_placed(answer: Answer, reason: NotPlacedReason) -> None:
    bench = Bench()
    bench.place(answer)
    (told,) = bench.told
    assert isinstance(told, NotPlaced)
    assert told.reason is reason
    assert bench.is_over
    assert bench.trunk == []


def test_a_missing_endpoint_is_a_failure_of_the_trunk_that_says_so() -> None:
    bench = Bench()
    bench.place(Answer(500, {"error": "Allocation failed"}))
    assert (ended(bench).reason, ended(bench).detail) == (HangupReason.FAILED, "allocation_failed")
    assert bench.trunk == ["allocation_failed"]


def test_a_placement_whose_answer_was_lost_may_have_rung() -> None:
    bench = Bench()
    bench.place(Answer(UNANSWERED))
    assert bench.told == []
    bench.call.vanished("lost")
    assert (ended(bench).reason, ended(bench).detail) == (HangupReason.FAILED, "lost")


def test_everything_is_told_once() -> None:
    bench = Bench()
    bench.place()
    for state in ("Ringing", "Ringing", "Up", "Up", "Ringing"):
        bench.call.state_changed(state)
    bench.call.entered(["answered"])
    assert bench.names() == ["Ringing", "Answered"]


def test_an_answer_wins_over_a_cancel_on_its_way() -> None:
    bench = Bench()
    bench.place()
    bench.call.state_changed("Ringing")
    bench.call.cancel()
    assert bench.link.asked()[-1] == CANCEL
    bench.call.state_changed("Up")
    bench.call.history.hangup_requested(is_soft=False)
    bench.call.destroyed(16, None)
    assert (ended(bench).reason, ended(bench).hung_up_by) == (HangupReason.NORMAL, HungUpBy.REMOTE)


def test_a_cancel_before_anything_came_back_is_kept_until_it_did() -> None:
    bench = Bench()
    bench.place(None)
    bench.call.cancel()
    assert CANCEL not in bench.link.asked()
    bench.link.answer(0, Answer(200))
    assert bench.link.asked()[-1] == CANCEL
    bench.call.destroyed(19, 480)
    assert ended(bench).reason is HangupReason.CANCEL


async def test_the_own_timer_is_told_from_a_refusal() -> None:
    bench = Bench(ring_ms=10_000)
    bench.place()
    bench.call.state_changed("Ringing")
    await bench.clock.advance_real(10.0)
    bench.call.destroyed(19, 480)
    assert ended(bench).reason is HangupReason.NOANSWER
    silent = Bench(ring_ms=10_000)
    silent.place()
    await silent.clock.advance_real(10.0)
    silent.call.destroyed(19, 480)
    assert ended(silent).reason is HangupReason.DIALOUT


def test_faults_of_the_trunk_and_words_of_the_network_are_told_apart() -> None:
    bench = Bench()
    bench.place()
    bench.call.history.hangup_requested(is_soft=False)
    bench.call.destroyed(34, 503)
    assert bench.trunk == ["congestion"]
    other = Bench()
    other.place()
    other.call.history.hangup_requested(is_soft=False)
    other.call.destroyed(17, 486)
    assert other.trunk == ["answered"]


# ------------------------------------------------------------------------------------- the link


def test_what_was_missed_is_told_after_the_reconnect() -> None:
    bench = Bench()
    bench.place()
    bench.break_link()
    bench.reconnect(bench.snapshot())
    assert bench.names() == ["Answered"]
    bench.reconnect(bench.snapshot())
    assert bench.names() == ["Answered"]


@pytest.mark.parametrize(
    ("detail", "is_answered", "reason"),
    [
        ("lost", False, HangupReason.FAILED),
        ("network_restart", False, HangupReason.FAILED),
        ("lost", True, HangupReason.NORMAL),
        ("network_restart", True, HangupReason.NORMAL),
    ],
)
def test_a_call_that_went_while_away_ends_with_what_is_known(
    detail: str, is_answered: bool, reason: HangupReason
) -> None:
    bench = Bench()
    bench.place()
    if is_answered:
        bench.call.state_changed("Up")
    bench.break_link()
    bench.call.vanished(detail)
    assert (ended(bench).reason, ended(bench).detail) == (reason, detail)
    assert (ended(bench).tm_answer is not None) == is_answered


def test_a_hangup_wished_without_a_link_is_asked_for_after_it() -> None:
    bench = Bench()
    bench.answered()
    bench.break_link()
    bench.call.hang_up()
    assert bench.link.sent == []
    bench.reconnect(bench.snapshot())
    assert HANG_UP in bench.link.asked()


def test_a_play_that_never_arrived_is_sent_again_and_one_that_did_is_not() -> None:
    bench = Bench()
    bench.answered()
    bench.break_link()
    bench.call.plays.start(Play("p1", Kind.MEDIA, "say", media=["sound:/c/a"]))
    bench.reconnect(bench.snapshot())
    assert f"POST {bench.call.text}.p1".replace(bench.call.text, "call") in bench.link.asked()
    bench.break_link()
    noted = {"OUTBOUND_PLAY": "media:p1"}
    bench.reconnect(bench.snapshot(variables=noted), is_play_on=True)
    assert bench.link.sent == []
    bench.break_link()
    bench.reconnect(bench.snapshot(variables=noted), is_play_on=False)
    assert isinstance(bench.told[-1], PlayFinished)
    assert bench.told[-1].completed


def test_a_play_replaced_without_a_link_is_silenced_after_it() -> None:
    bench = Bench()
    bench.answered()
    bench.call.plays.start(Play("h1", Kind.MUSIC, "hold"))
    bench.break_link()
    bench.call.plays.stop()
    bench.reconnect(bench.snapshot(variables={"OUTBOUND_PLAY": "music:h1"}), is_play_on=True)
    assert "DELETE moh" in bench.link.asked()


def test_an_adopted_call_that_entered_before_it_was_held_can_be_spoken_to() -> None:
    bench = Bench()
    bench.call.adopt(bench.snapshot(app_name="Wait", app_data="0.1"))
    bench.call.plays.start(Play("p1", Kind.MUSIC, "hold"))
    assert "POST moh" not in bench.link.asked()
    bench.call.stands(bench.snapshot())
    assert "POST moh" in bench.link.asked()


def test_a_listing_older_than_an_event_does_not_send_a_call_away() -> None:
    bench = Bench()
    bench.answered()
    bench.reconnect(bench.snapshot(app_name="Wait", app_data="0.1"))
    bench.call.plays.start(Play("p1", Kind.MUSIC, "hold"))
    assert "POST moh" in bench.link.asked()


# ------------------------------------------------------------------------------------ what it hears


def test_a_play_is_started_once_and_its_end_told_to_whoever_asks_again() -> None:
    bench = Bench()
    bench.answered()
    play = Play("p1", Kind.MEDIA, "play", media=["sound:/c/a"])
    bench.call.plays.start(play)
    bench.call.plays.start(Play("p1", Kind.MEDIA, "play", media=["sound:/c/a"]))
    playback = bench.call.plays.playback_id("p1")
    assert [word.startswith("POST") for word in bench.link.asked()] == [True, True]
    bench.call.plays.finished(playback, "done", is_leaving=False)
    bench.call.plays.start(Play("p1", Kind.MEDIA, "play", media=["sound:/c/a"]))
    assert bench.names()[-2:] == ["PlayFinished", "PlayFinished"]


def test_a_file_that_cannot_be_played_is_a_failed_command() -> None:
    bench = Bench()
    bench.answered()
    bench.call.plays.start(Play("p1", Kind.MEDIA, "play", media=["sound:/c/none"]))
    bench.call.plays.finished(bench.call.plays.playback_id("p1"), "failed", is_leaving=False)
    failed = bench.told[-1]
    assert isinstance(failed, CommandFailed)
    assert (failed.command, failed.reference) == ("play", "p1")


def test_a_play_cut_off_by_the_end_of_the_call_did_not_fail() -> None:
    bench = Bench()
    bench.answered()
    bench.call.plays.start(Play("p1", Kind.MEDIA, "play", media=["sound:/c/a"]))
    bench.call.history.hangup_requested(is_soft=False)
    playback = bench.call.plays.playback_id("p1")
    bench.call.plays.finished(playback, "failed", is_leaving=bench.call.is_leaving)
    finished = bench.told[-1]
    assert isinstance(finished, PlayFinished)
    assert not finished.completed


def test_a_text_that_is_ready_too_late_is_not_played() -> None:
    bench = Bench()
    bench.answered()

    async def speaking() -> list[str]:
        return ["sound:/c/a"]

    work = speaking()
    bench.call.plays.start(Play("p1", Kind.MEDIA, "say"), work)
    work.close()
    bench.call.plays.stop()
    then, _ = bench.works[0]
    then(["sound:/c/a"])
    assert bench.link.sent == []
    assert bench.names()[-1] == "PlayFinished"


# ----------------------------------------------------------------------------------- recordings


def recorded(bench: Bench) -> None:
    bench.call.recordings.start(
        "r1",
        "outbound-1",
        [],
        audio_format="wav",
        max_duration_ms=0,
        silence_ms=0,
        end_keys="#",
    )


def test_a_recording_comes_before_the_end_of_its_call() -> None:
    bench = Bench()
    bench.answered()
    recorded(bench)
    bench.call.history.hangup_requested(is_soft=False)
    bench.call.destroyed(16, None)
    assert not bench.is_over
    bench.call.recordings.finished("r1", "a/b.wav", 1234)
    assert bench.names()[-2:] == ["Recorded", "Ended"]
    assert bench.told[-2] == Recorded(bench.call.call_id, bench.clock.now(), "r1", "a/b.wav", 1234)


def test_the_end_does_not_wait_for_ever_for_a_recording() -> None:
    bench = Bench()
    bench.answered()
    recorded(bench)
    bench.call.destroyed(16, None)
    bench.timers[-1].action()
    assert bench.names()[-1] == "Ended"


def test_a_key_ends_the_recordings_that_wait_for_it() -> None:
    bench = Bench()
    bench.answered()
    recorded(bench)
    bench.link.sent.clear()
    bench.call.digit("1")
    assert bench.link.sent == []
    bench.call.digit("#")
    assert bench.link.asked() == ["POST stop"]


@pytest.mark.parametrize(("recording_id", "form"), [("../../etc", "wav"), ("r1", "mp3")])
def test_a_recording_that_cannot_be_made_is_refused(recording_id: str, form: str) -> None:
    bench = Bench()
    bench.answered()
    bench.call.recordings.start(
        recording_id,
        "outbound-1",
        [],
        audio_format=form,
        max_duration_ms=0,
        silence_ms=0,
        end_keys="",
    )
    assert isinstance(bench.told[-1], CommandFailed)
    assert bench.link.sent == []
