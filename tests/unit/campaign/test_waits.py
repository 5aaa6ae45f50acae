"""The histogram of waits for an agent."""

from __future__ import annotations

from random import Random

import pytest

from services.campaign.campaigncalls.domain_waits import STEPS, Waits


def of(*waits: int) -> Waits:
    made = Waits()
    for each in waits:
        made.add(each)
    return made


def test_none_is_zero() -> None:
    empty = Waits()
    assert (empty.average_ms, empty.percentile_ms(50), empty.percentile_ms(95)) == (0, 0, 0)


def test_two_seconds_is_a_step() -> None:
    assert 2_000 in STEPS
    assert list(STEPS) == sorted(set(STEPS))


@pytest.mark.parametrize("wait", [0, 1, 49, 50, 2_000, 2_001, 600_000, 3_600_000])
def test_of_one_all_figures_are_it_or_near(wait: int) -> None:
    one = of(wait)
    assert one.average_ms == one.longest_ms == wait
    assert abs(one.percentile_ms(50) - wait) <= max(50, wait / 3)
    assert one.percentile_ms(95) <= wait


def test_percentiles_are_near_the_true_ones() -> None:
    chance = Random(7)
    waits = [round(chance.lognormvariate(7, 0.8)) for _ in range(20_000)]
    many = of(*waits)
    waits.sort()
    for percent in (50, 95):
        true = waits[len(waits) * percent // 100]
        assert abs(many.percentile_ms(percent) - true) < true / 20
    assert many.longest_ms == waits[-1]
    assert many.average_ms == round(sum(waits) / len(waits))
