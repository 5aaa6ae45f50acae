from __future__ import annotations

from pathlib import Path

import pytest

from simnet import clock as clocks
from simnet import config
from simnet.clock import ScaledClock, SteppedClock, real_us


def test_defaults_need_no_environment() -> None:
    read = config.load({})
    assert read.listen == "127.0.0.1:7800"
    assert read.profile is None
    assert read.gather_seconds == 0.005
    assert isinstance(read.clock, ScaledClock)
    assert abs(read.clock.now_us() - real_us()) < 1_000_000


def test_everything_can_be_said() -> None:
    read = config.load(
        {
            "OUTBOUND_SIMNET_LISTEN": "0.0.0.0:0",
            "OUTBOUND_SIMNET_LEDGER": "data/l.jsonl",
            "OUTBOUND_SIMNET_PROFILE": "p.json",
            "OUTBOUND_SIMNET_SEED": "night",
            "OUTBOUND_SIMNET_STEPPED": "true",
            "OUTBOUND_SIMNET_METRICS_LISTEN": "127.0.0.1:0",
            "OUTBOUND_CLOCK_REAL_EPOCH": "1800000000",
            "OUTBOUND_CLOCK_VIRTUAL_EPOCH": "2027-01-15T08:00:00Z",
            "OUTBOUND_CLOCK_SCALE": "60",
        }
    )
    assert (read.ledger, read.profile, read.seed) == (Path("data/l.jsonl"), Path("p.json"), "night")
    assert isinstance(read.clock, SteppedClock)
    assert read.clock.now_us() == 1_800_000_000_000_000


def test_every_wrong_variable_is_named_at_once() -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load(
            {
                "OUTBOUND_SIMNET_LISTEN": "nowhere",
                "OUTBOUND_CLOCK_SCALE": "0",
                "OUTBOUND_CLOCK_REAL_EPOCH": "yesterday",
                "OUTBOUND_SIMNET_STEPPED": "perhaps",
                "OUTBOUND_SIMNET_GATHER_MS": "-1",
            }
        )
    lines = str(caught.value).splitlines()
    assert len(lines) == 5
    assert all("accepted:" in line for line in lines)


def test_scaled_time_runs_from_its_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 2_000_000_000_000_000
    monkeypatch.setattr(clocks, "real_us", lambda: now)
    clock = ScaledClock(now - 10_000_000, 1_800_000_000_000_000, 60)
    assert clock.now_us() == 1_800_000_600_000_000
    assert clock.real_delay(1_800_000_660_000_000) == 1.0
    assert clock.real_delay(0) == 0.0
    now -= 60_000_000
    assert clock.now_us() == 1_800_000_600_000_000


def test_stepped_time_stands_still() -> None:
    clock = SteppedClock(5)
    assert clock.real_delay(6) is None
    assert clock.step(10) == 15
    assert clock.real_delay(6) == 0.0
