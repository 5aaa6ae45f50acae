"""The luck of one call: what is drawn for it, the same in every run with the same seed.

Everything a person does follows from (seed, number, how often the number was called before), never
from the order in which calls happen to be placed.
"""

from __future__ import annotations

from enum import IntEnum
from hashlib import blake2b

from simnet.profile import Behaviour, Plan

_WORD = 4
_RANGE = float(1 << (8 * _WORD))


class Draw(IntEnum):
    """What a number is drawn for."""

    OUTCOME = 0
    RING = 1
    SILENCE = 2
    HOLD = 3
    TALK = 4
    SIDE = 5
    MACHINE = 6
    GOODBYE = 7
    LISTEN = 8
    LEAVE = 9
    DIGITS = 10
    REACTION = 11


class Luck:
    """Draws for calls, from one seed."""

    def __init__(self, seed: str) -> None:
        self._key = blake2b(seed.encode(), digest_size=32).digest()

    def digest(self, number: str, nth: int) -> bytes:
        """The luck of the nth call to a number (1 for the first)."""
        return blake2b(f"{number} {nth}".encode(), key=self._key, digest_size=64).digest()


def draw(digest: bytes, what: Draw, nth: int = 0) -> float:
    """A number in [0, 1) for one purpose; `nth` tells several of the same purpose apart."""
    if nth:
        digest = blake2b(bytes((what, nth & 255, nth >> 8 & 255)), key=digest).digest()
    at = what * _WORD
    return int.from_bytes(digest[at : at + _WORD], "big") / _RANGE


def choose_plan(behaviour: Behaviour, digest: bytes, nth: int) -> Plan:
    """What becomes of the nth call to the person if nobody interferes."""
    if behaviour.script:
        return behaviour.script[min(nth, len(behaviour.script)) - 1]
    drawn = draw(digest, Draw.OUTCOME)
    for reached, plan in behaviour.outcomes:
        if drawn < reached:
            return plan
    return behaviour.outcomes[-1][1]  # rounding left the sum of shares just short of 1


def choose_keys(behaviour: Behaviour, digest: bytes, nth: int) -> str:
    """The keys pressed after the nth message; often none."""
    if not behaviour.digits:
        return ""
    drawn = draw(digest, Draw.DIGITS, nth)
    return next((keys for reached, keys in behaviour.digits if drawn < reached), "")
