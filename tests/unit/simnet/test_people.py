from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from simnet import distributions, profile
from simnet.calls import Ended, Event, Kind
from simnet.people import Draw, Luck, draw
from simnet.profile import DEFAULT_PROFILE, Plan, ProfileError
from tests.unit.simnet.world import World, call_id, order, seen, steady_profile

NUMBERS = [f"+1555{index:07d}" for index in range(2_000)]


def lives(numbers: list[str], seed: str) -> dict[str, list[tuple[object, ...]]]:
    """What becomes of calls to the numbers, each placed twice, by number."""
    world = World(profile.load(None), seed)
    by_id: dict[str, str] = {}
    events: list[Event] = []
    for turn in range(2):
        for index, number in enumerate(numbers):
            identity = turn * len(numbers) + index
            by_id[call_id(identity)] = number
            world.place(order(identity, to=number))
        events += world.pass_ms(3_600_000)
    result: dict[str, list[tuple[object, ...]]] = {number: [] for number in numbers}
    for event in events:
        if isinstance(event.what, Ended):
            end = event.what
            result[by_id[event.call_id]].append((end.outcome, end.ring_ms, end.talk_ms))
    return result


def test_people_behave_the_same_in_whatever_order_they_are_called() -> None:
    shuffled = random.Random(1).sample(NUMBERS, len(NUMBERS))
    assert lives(NUMBERS, "seed") == lives(shuffled, "seed")


def test_another_seed_is_another_world() -> None:
    assert lives(NUMBERS, "seed") != lives(NUMBERS, "other")


def test_the_default_profile_comes_out_as_it_is_written() -> None:
    weights = json.loads(DEFAULT_PROFILE.read_text())["customer"]["outcomes"]
    behaviour = profile.load(None).customer
    luck = Luck("seed")
    count = Counter[Plan]()
    for number in NUMBERS:
        drawn = draw(luck.digest(number, 1), Draw.OUTCOME)
        count[next(plan for reached, plan in behaviour.outcomes if drawn < reached)] += 1
    for word, weight in weights.items():
        assert count[Plan(word)] / len(NUMBERS) == pytest.approx(weight, abs=0.04)


def test_the_nth_call_to_a_pattern_takes_the_nth_outcome() -> None:
    patterns = [{"match": r"^\+1555000", "outcomes": ["busy", "busy", "answer"]}]
    world = World(steady_profile(patterns=patterns))
    outcomes = []
    for index in range(5):
        world.place(order(index))
        outcomes += [end.outcome.value for end in seen(world.pass_ms(60_000), Ended)]
    assert outcomes == ["busy", "busy", "normal", "normal", "normal"]


def test_a_pattern_can_differ_for_customers_and_agents() -> None:
    patterns = [
        {"match": "^.*1$", "ring_ms": 1, "agent": {"outcomes": ["noanswer"]}},
        {"match": "^.*2$", "customer": {"ring_ms": 2}},
    ]
    people = steady_profile(patterns=patterns)
    assert people.behaviour("+15551", is_agent=True).script == (Plan.NOANSWER,)
    assert people.behaviour("+15551", is_agent=False).script == ()
    assert people.behaviour("+15551", is_agent=False).ring_ms.sample(0.5) == 1
    assert people.behaviour("+15552", is_agent=False).ring_ms.sample(0.5) == 2
    assert people.behaviour("+15552", is_agent=True) is people.agent


@pytest.mark.parametrize(
    ("digit", "script"),
    [("0", [Plan.ANSWER]), ("6", [Plan.BUSY, Plan.ANSWER]), ("9", [Plan.FAILED])],
)
def test_the_default_profile_has_numbers_with_a_script(digit: str, script: list[Plan]) -> None:
    behaviour = profile.load(None).behaviour(f"+1999{digit}000000", is_agent=False)
    assert list(behaviour.script) == script


def test_a_simulated_agent_answers_by_its_own_profile() -> None:
    world = World(steady_profile({"outcomes": {"busy": 1}}))
    world.place(order(kind=Kind.AGENT))
    assert not seen(world.pass_ms(6_000), Ended)


def test_a_profile_is_laid_over_the_default_one(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({"customer": {"listen_to_end": 0.5}, "patterns": []}))
    people = profile.load(path)
    assert people.customer.listen_to_end == 0.5
    assert people.customer.outcomes == profile.load(None).customer.outcomes
    assert people.patterns == ()


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"customer": {"rings_ms": 1}}, "customer has unknown members: rings_ms"),
        ({"customer": {"ring_ms": -1}}, "customer.ring_ms is -1"),
        ({"customer": {"talk_ms": {"gamma": 1}}}, "customer.talk_ms is {'gamma': 1}"),
        ({"customer": {"outcomes": {"answer": 0}}}, "weighs 0 in all"),
        ({"customer": {"digits": {"x": 1}}}, "customer.digits has 'x'"),
        ({"patterns": [{"match": "("}]}, "patterns[0].match is '('"),
        ({"patterns": [{"match": "1", "outcomes": ["no"]}]}, "names 'no'"),
        ({"capacity": {"live_calls": 0}}, "capacity.live_calls is 0"),
        ({"colour": 1}, "profile has unknown members: colour"),
    ],
)
def test_a_wrong_profile_is_named(
    tmp_path: Path, document: dict[str, object], complaint: str
) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ProfileError) as caught:
        profile.load(path)
    assert complaint in str(caught.value)


def test_laws_have_the_mean_they_are_given() -> None:
    points = [(index + 0.5) / 10_000 for index in range(10_000)]
    for law, mean in (
        (distributions.uniform(1_000, 3_000), 2_000),
        (distributions.exponential(5_000), 5_000),
        (distributions.lognormal(180_000, 0.8), 180_000),
        (distributions.exponential(5_000, low_ms=4_000, high_ms=4_000), 4_000),
    ):
        average = sum(law.sample(point) for point in points) / len(points)
        assert average == pytest.approx(mean, rel=0.01)
