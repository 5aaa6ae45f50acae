"""What happens on an answered call: messages, music, keys, conversations, and people's patience."""

from __future__ import annotations

from typing import Protocol

from simnet.calls import (
    NEVER,
    Bridged,
    Call,
    DigitPressed,
    Due,
    Kind,
    PlayFinished,
    Side,
    Taker,
    Unbridged,
    What,
)
from simnet.distributions import Distribution
from simnet.people import Draw, choose_keys, draw


class Exchange(Protocol):
    """What a conversation needs of the network it takes place in."""

    def tell(self, call: Call, at_us: int, what: What) -> None:
        """Tell the owner of the call."""

    def hung_up(self, call: Call, at_us: int, by: Side) -> None:
        """End an answered call."""

    def touch(self, call: Call) -> None:
        """The call's due times have changed."""


class Conversation:
    """The people on answered calls. Its methods change `call.due` and leave the timer to touch()."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def begin(self, call: Call, at_us: int) -> None:
        """The call was answered."""
        call.due[Due.LIMIT] = at_us + call.max_duration_us
        if call.taker is Taker.MACHINE:
            # A machine listens to nobody: it records until its tape ends.
            call.due[Due.MOOD] = at_us + _drawn(call, call.behaviour.machine_ms, Draw.MACHINE)
        else:
            self._be_silent(call, at_us)

    def play(self, call: Call, at_us: int, play_id: str, length_ms: int, *, is_hold: bool) -> None:
        """Let the callee hear something; repeating a play id does not start it again."""
        if play_id == call.play_id:
            return
        if play_id == call.finished_play:
            self._exchange.tell(call, at_us, PlayFinished(play_id, call.finished_completed))
            return
        self.stop(call, at_us)
        call.play_id = play_id
        call.play_count += 1
        length_us = length_ms * 1000
        if is_hold:
            call.hold_since_us = at_us
        else:
            call.due[Due.PLAY] = at_us + length_us
        if call.taker is Taker.HUMAN:
            call.due[Due.MOOD] = (
                _loses_hold(call, at_us) if is_hold else _loses_interest(call, at_us, length_us)
            )
        self._exchange.touch(call)

    def stop(self, call: Call, at_us: int, *, completed: bool = False) -> None:
        """What the callee hears is over. Nothing happens when nothing is heard."""
        if not call.play_id:
            return
        play_id, call.play_id = call.play_id, ""
        call.finished_play, call.finished_completed = play_id, completed
        call.due[Due.PLAY] = NEVER
        if call.hold_since_us:
            call.hold_used_us += at_us - call.hold_since_us
            call.hold_since_us = 0
        self._be_silent(call, at_us)
        self._exchange.tell(call, at_us, PlayFinished(play_id, completed))
        self._exchange.touch(call)

    def message_over(self, call: Call, at_us: int) -> None:
        """Due.PLAY: the message has been heard to its end; some people press keys then."""
        self.stop(call, at_us, completed=True)
        if call.taker is Taker.HUMAN and not call.keys:
            call.keys = choose_keys(call.behaviour, call.digest, call.play_count)
            if call.keys:
                self._reach_for_key(call, at_us)

    def key_pressed(self, call: Call, at_us: int) -> None:
        """Due.KEY: the next key."""
        digit, call.keys = call.keys[0], call.keys[1:]
        call.digits_pressed += digit
        self._exchange.tell(call, at_us, DigitPressed(digit))
        if call.keys:
            self._reach_for_key(call, at_us)
        elif not call.play_id:
            self._be_silent(call, at_us)

    def bridge(self, call: Call, other: Call, at_us: int) -> None:
        """Connect two answered calls, or tell again that they are."""
        if call.peer is not other:
            self._connect(call, other, at_us)
        self._exchange.tell(call, at_us, Bridged(other.call_id))
        self._exchange.tell(other, at_us, Bridged(call.call_id))

    def unbridge(self, call: Call, at_us: int) -> None:
        """Take a connection apart; both sides wait for what comes next."""
        peer = call.peer
        if peer is None:
            return
        for one, other in ((call, peer), (peer, call)):
            one.peer = None
            one.due[Due.TALK] = NEVER
            self._be_silent(one, at_us)
            self._exchange.tell(one, at_us, Unbridged(other.call_id))
            self._exchange.touch(one)

    def leave(self, call: Call, at_us: int) -> None:
        """The call is ending: its message stops, and whoever it talked to says goodbye."""
        peer = call.peer
        call.peer = None
        if call.play_id:
            self.stop(call, at_us)
        if peer is None:
            return
        peer.peer = None
        peer.due[Due.TALK] = NEVER
        if peer.taker is Taker.HUMAN:
            goodbye = _drawn(peer, peer.behaviour.goodbye_ms, Draw.GOODBYE, peer.bridge_count)
            peer.due[Due.MOOD] = at_us + goodbye
        self._exchange.tell(peer, at_us, Unbridged(call.call_id))
        self._exchange.touch(peer)

    def _connect(self, call: Call, other: Call, at_us: int) -> None:
        for one, peer in ((call, other), (other, call)):
            self.stop(one, at_us)
            one.peer = peer
            one.bridge_count += 1
            one.keys = ""
            one.due[Due.KEY] = NEVER
            if one.taker is Taker.HUMAN:
                one.due[Due.MOOD] = NEVER
        leaver, length_us = _first_to_leave(call, other)
        leaver.due[Due.TALK] = at_us + length_us
        self._exchange.touch(call)
        self._exchange.touch(other)

    def _be_silent(self, call: Call, at_us: int) -> None:
        if call.taker is not Taker.HUMAN:
            return
        silence_us = _drawn(call, call.behaviour.silence_ms, Draw.SILENCE)
        # Whoever is about to press a key does not hang up before it.
        call.due[Due.MOOD] = NEVER if call.keys else at_us + silence_us

    def _reach_for_key(self, call: Call, at_us: int) -> None:
        nth = call.play_count + len(call.keys)
        call.due[Due.KEY] = at_us + _drawn(call, call.behaviour.reaction_ms, Draw.REACTION, nth)
        if not call.play_id:
            call.due[Due.MOOD] = NEVER


def _loses_hold(call: Call, at_us: int) -> int:
    """When somebody on hold hangs up; the patience is one for all the music of the call."""
    patience_us = _drawn(call, call.behaviour.hold_ms, Draw.HOLD)
    return at_us + max(0, patience_us - call.hold_used_us)


def _loses_interest(call: Call, at_us: int, length_us: int) -> int:
    """When a listener hangs up during a message; NEVER when he listens to its end."""
    if draw(call.digest, Draw.LISTEN, call.play_count) < call.behaviour.listen_to_end:
        return NEVER
    return at_us + int(length_us * draw(call.digest, Draw.LEAVE, call.play_count))


def _first_to_leave(call: Call, other: Call) -> tuple[Call, int]:
    """Who of two connected calls hangs up, and after how many microseconds."""
    customer, agent = (call, other) if call.kind is Kind.CUSTOMER else (other, call)
    for one, peer in ((customer, agent), (agent, customer)):
        if one.taker is Taker.MACHINE:
            nth = peer.bridge_count
            return peer, _drawn(peer, peer.behaviour.machine_talk_ms, Draw.TALK, nth)
    nth = customer.bridge_count
    length_us = _drawn(customer, customer.behaviour.talk_ms, Draw.TALK, nth)
    is_customer = draw(customer.digest, Draw.SIDE, nth) < customer.behaviour.hangs_up_first
    return (customer if is_customer else agent), length_us


def _drawn(call: Call, law: Distribution, what: Draw, nth: int = 0) -> int:
    """A length of time in microseconds."""
    return law.sample(draw(call.digest, what, nth)) * 1000
