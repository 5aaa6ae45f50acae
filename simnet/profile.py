"""The profile: how the people behind the numbers behave, read from JSON and checked whole."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from simnet import distributions
from simnet.distributions import LONGEST_MS, Distribution

DEFAULT_PROFILE = Path(__file__).with_name("default_profile.json")
KEYS = frozenset("0123456789ABCD*#")


class ProfileError(Exception):
    """A profile that cannot be used; the text says which member, and what is accepted."""


class Plan(StrEnum):
    """What becomes of a call if nobody interferes."""

    ANSWER = "answer"
    MACHINE = "machine"
    BUSY = "busy"
    NOANSWER = "noanswer"
    INVALID = "invalid"
    CONGESTION = "congestion"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How one sort of person behaves. Everything is drawn anew for each call."""

    outcomes: tuple[tuple[float, Plan], ...]  # cumulated share, plan
    script: tuple[Plan, ...] = ()  # the nth call to a number takes the nth, later ones the last
    ring_ms: Distribution  # until a person answers
    machine_ring_ms: Distribution  # until a machine does
    machine_ms: Distribution  # a machine hangs up this long after its answer
    reject_ms: Distribution  # until busy, invalid, congestion or failed is told
    silence_ms: Distribution  # hangs up when nobody says anything for so long
    hold_ms: Distribution  # hangs up after so much music in all
    listen_to_end: float  # share of messages heard to the end; the others are hung up on
    digits: tuple[tuple[float, str], ...]  # cumulated share, keys pressed after a message
    reaction_ms: Distribution  # before each key
    talk_ms: Distribution  # conversation when bridged
    machine_talk_ms: Distribution  # an agent leaves a machine after so long
    hangs_up_first: float  # share of conversations this side ends (the customer's counts)
    goodbye_ms: Distribution  # hangs up when the other side has gone


@dataclass(frozen=True, slots=True)
class Pattern:
    """Numbers whose behaviour is written down."""

    match: re.Pattern[str]
    customer: Behaviour | None  # None: the pattern is not for customers
    agent: Behaviour | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """All people, and the network's own figures."""

    live_calls: int  # capacity; further places are refused as congestion
    places_per_second: int  # real seconds; 0: no limit
    speech_ms_per_character: int
    media_ms: int  # a recording whose length nobody told
    digit_ms: int  # one key sent to the callee
    customer: Behaviour
    agent: Behaviour
    patterns: tuple[Pattern, ...]

    def behaviour(self, number: str, *, is_agent: bool) -> Behaviour:
        """How the person at the number behaves: the first pattern that matches, or the usual."""
        for pattern in self.patterns:
            found = pattern.agent if is_agent else pattern.customer
            if found is not None and pattern.match.search(number):
                return found
        return self.agent if is_agent else self.customer


def load(path: Path | None) -> Profile:
    """The profile in the file, laid over the default one; None gives the default one."""
    default = _json_object(DEFAULT_PROFILE)
    given = {} if path is None else _json_object(path)
    merged = {**default, **given}
    for person in ("customer", "agent", "capacity"):
        if person in given:
            merged[person] = {**default[person], **_object(given[person], person)}
    return parse(merged)


def parse(document: dict[str, Any]) -> Profile:
    """The profile written in a complete JSON object; ProfileError when it is not one."""
    reader = _Members(document, "profile")
    capacity = _Members(reader.take("capacity"), "capacity")
    customer = _behaviour(_Members(reader.take("customer"), "customer"), None)
    agent = _behaviour(_Members(reader.take("agent"), "agent"), None)
    patterns = reader.take("patterns")
    if not isinstance(patterns, list):
        raise ProfileError(f"patterns is {patterns!r}; accepted: a list of objects")
    profile = Profile(
        live_calls=capacity.integer("live_calls", 1, 10_000_000),
        places_per_second=capacity.integer("places_per_second", 0, 10_000_000),
        speech_ms_per_character=reader.integer("speech_ms_per_character", 0, 10_000),
        media_ms=reader.integer("media_ms", 0, LONGEST_MS),
        digit_ms=reader.integer("digit_ms", 0, 10_000),
        customer=customer,
        agent=agent,
        patterns=tuple(
            _pattern(_Members(entry, f"patterns[{index}]"), customer, agent)
            for index, entry in enumerate(patterns)
        ),
    )
    capacity.finish()
    reader.finish()
    return profile


def _pattern(members: _Members, customer: Behaviour, agent: Behaviour) -> Pattern:
    text = members.take("match")
    try:
        match = re.compile(text)
    except (re.error, TypeError) as error:
        raise ProfileError(
            f"{members.path}.match is {text!r}; accepted: a regular expression"
        ) from error
    own = {kind: members.take(kind, None) for kind in ("customer", "agent")}
    shared = members.rest()

    def behaviour(kind: str, base: Behaviour) -> Behaviour | None:
        if own[kind] is None and not shared:
            return None  # the pattern is for the others only
        path = f"{members.path}.{kind}"
        extra = {} if own[kind] is None else _object(own[kind], path)
        return _behaviour(_Members({**shared, **extra}, path), base)

    return Pattern(match, behaviour("customer", customer), behaviour("agent", agent))


_TIMES = (
    "ring_ms",
    "machine_ring_ms",
    "machine_ms",
    "reject_ms",
    "silence_ms",
    "hold_ms",
    "reaction_ms",
    "talk_ms",
    "machine_talk_ms",
    "goodbye_ms",
)


def _behaviour(members: _Members, base: Behaviour | None) -> Behaviour:
    """The behaviour that is written; with a base, only the members that differ have to be."""
    changes: dict[str, Any] = {}
    if base is None:
        # Only agents have one; a customer never finds itself talking to a machine.
        members.default("machine_talk_ms", 5000)
    for name in _TIMES:
        if base is None or name in members:
            changes[name] = _distribution(members.take(name), f"{members.path}.{name}")
    for name in ("listen_to_end", "hangs_up_first"):
        if base is None or name in members:
            changes[name] = members.share(name)
    if base is None or "digits" in members:
        changes["digits"] = _digits(members.take("digits"), f"{members.path}.digits")
    if base is None or "outcomes" in members:
        outcomes, path = members.take("outcomes"), f"{members.path}.outcomes"
        if isinstance(outcomes, list) and base is not None:
            changes["script"] = _script(outcomes, path)
        else:
            changes["outcomes"], changes["script"] = _outcomes(outcomes, path), ()
    members.finish()
    return Behaviour(**changes) if base is None else replace(base, **changes)


def _script(value: list[Any], path: str) -> tuple[Plan, ...]:
    if not value:
        raise ProfileError(f"{path} is empty; accepted: at least one of {', '.join(Plan)}")
    return tuple(_plan(word, path) for word in value)


def _outcomes(value: Any, path: str) -> tuple[tuple[float, Plan], ...]:
    weights = {_plan(word, path): weight for word, weight in _object(value, path).items()}
    return tuple(_cumulated(weights, path))


def _plan(word: Any, path: str) -> Plan:
    try:
        return Plan(word)
    except ValueError:
        raise ProfileError(f"{path} names {word!r}; accepted: {', '.join(Plan)}") from None


def _cumulated(weights: dict[Plan, Any], path: str) -> list[tuple[float, Plan]]:
    if not all(_is_number(weight) and weight >= 0 for weight in weights.values()):
        raise ProfileError(f"{path} is {weights!r}; accepted: weights of 0 or more")
    total = sum(weights.values())
    if total <= 0:
        raise ProfileError(f"{path} weighs 0 in all; accepted: at least one weight above 0")
    result, reached = [], 0.0
    for plan, weight in weights.items():
        reached += weight / total
        result.append((reached, plan))
    return result


def _digits(value: Any, path: str) -> tuple[tuple[float, str], ...]:
    result, reached = [], 0.0
    for keys, share in _object(value, path).items():
        if not keys or not KEYS.issuperset(keys) or not _is_number(share) or share < 0:
            raise ProfileError(f"{path} has {keys!r}: {share!r}; accepted: keys 0-9 A-D # *: share")
        reached += share
        result.append((reached, keys))
    if reached > 1.000_001:
        raise ProfileError(f"{path} adds up to {reached:g}; accepted: at most 1")
    return tuple(result)


def _distribution(value: Any, path: str) -> Distribution:
    if _is_number(value) and 0 <= value <= LONGEST_MS:
        return distributions.fixed(value)
    try:
        members = dict(value)
        limits = {
            f"{name}_ms": int(members.pop(word))
            for name, word in (("low", "min"), ("high", "max"))
            if word in members
        }
        ((law, figures),) = members.items()
        if law == "uniform" and 0 <= figures[0] <= figures[1]:
            return distributions.uniform(figures[0], figures[1], **limits)
        if law == "exponential" and figures > 0:
            return distributions.exponential(figures, **limits)
        if law == "lognormal" and figures["mean"] > 0 and figures["cv"] > 0:
            return distributions.lognormal(figures["mean"], figures["cv"], **limits)
    except (TypeError, ValueError, KeyError, IndexError):
        pass
    raise ProfileError(
        f"{path} is {value!r}; accepted: milliseconds, or an object with uniform [low, high], "
        "exponential mean or lognormal {mean, cv}, and min and max"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _object(value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ProfileError(f"{path} is {value!r}; accepted: an object")
    return value


def _json_object(path: Path) -> dict[str, Any]:
    try:
        return _object(json.loads(path.read_text()), str(path))
    except (OSError, ValueError) as error:
        raise ProfileError(f"{path} cannot be read as JSON: {error}") from error


class _Members:
    """The members of one JSON object; tells about those nobody took."""

    def __init__(self, value: Any, path: str) -> None:
        self._left = dict(_object(value, path))
        self.path = path

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def default(self, name: str, value: Any) -> None:
        self._left.setdefault(name, value)

    def take(self, name: str, *default: Any) -> Any:
        if name not in self._left and not default:
            raise ProfileError(f"{self.path} has no {name}")
        return self._left.pop(name, *default)

    def integer(self, name: str, low: int, high: int) -> int:
        value = self.take(name)
        if not isinstance(value, int) or not low <= value <= high:
            raise ProfileError(f"{self.path}.{name} is {value!r}; accepted: {low} to {high}")
        return value

    def share(self, name: str) -> float:
        value = self.take(name)
        if not _is_number(value) or not 0 <= value <= 1:
            raise ProfileError(f"{self.path}.{name} is {value!r}; accepted: 0 to 1")
        return float(value)

    def rest(self) -> dict[str, Any]:
        left, self._left = self._left, {}
        return left

    def finish(self) -> None:
        if self._left:
            raise ProfileError(f"{self.path} has unknown members: {', '.join(sorted(self._left))}")
