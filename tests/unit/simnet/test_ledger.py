from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simnet.calls import Ended, EndedCall, Outcome, Side, Taker
from simnet.compact import id_bytes
from simnet.journal import Instant, instant_us
from simnet.ledger import Ledger, LedgerError
from tests.unit.simnet.world import START_US, World, call_id, order, steady_profile

MINUTE_US = 60_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.jsonl"


def written(path: Path, world: World, real_us: int = START_US) -> None:
    ledger = Ledger(path)
    ledger.write(world.journal.take())
    ledger.close()


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def finished_world() -> World:
    """Call 1 answered and over, 2 busy, 3 refused, 4 answered, 5 ringing."""
    patterns = [{"match": "2$", "outcomes": ["busy"]}, {"match": "[45]$", "silence_ms": 600_000}]
    world = World(steady_profile(patterns=patterns))
    world.journal.set_real(START_US)
    world.place(order(1, to="+15550000001"), order(2, to="+15550000002"))
    world.place(order(3, to="+15550000003", place_before_ns=1), boottime_ns=2)
    world.place(order(4, to="+15550000004"))
    world.pass_ms(60_000)
    world.place(order(5, to="büro@5", address_type="sip"))
    return world


def test_every_line_is_json_with_both_times(path: Path) -> None:
    written(path, finished_world())
    lines = entries(path)
    assert [line["event"] for line in lines] == [
        "ring",
        "place",
        "refused",
        "ring",
        "end",
        "answer",
        "answer",
        "end",
        "ring",
    ]
    assert all(instant_us(line["tm"]) == START_US for line in lines)
    assert instant_us(lines[-2]["tm_domain"]) == START_US + 15_000_000
    assert lines[-2]["outcome"] == "normal"
    assert lines[2]["reason"] == "late"


def test_a_restart_knows_every_id_and_ends_what_was_live(path: Path) -> None:
    written(path, finished_world())
    ledger = Ledger(path)
    recovered = ledger.recover(START_US + 2 * MINUTE_US, START_US + MINUTE_US)
    assert all(id_bytes(call_id(number)) in recovered.seen for number in range(1, 6))
    assert [recovered.counts.next(f"+1555000000{digit}") for digit in (1, 2, 3)] == [2, 2, 1]
    assert recovered.counts.next("büro@5") == 2
    answered, ringing = recovered.cut_off
    assert (answered.call_id, answered.end) == (
        call_id(4),
        _restarted(5_000, 115_000, Taker.HUMAN, START_US + 5_000_000),
    )
    assert (ringing.call_id, ringing.end) == (
        call_id(5),
        _restarted(60_000, 0, Taker.NOBODY, 0),
    )
    assert [line["outcome"] for line in entries(path)[-2:]] == ["network_restart"] * 2
    ledger.close()
    again = Ledger(path)
    assert not again.recover(0, 0).cut_off
    again.close()


def test_a_line_that_was_being_written_is_cut_off(path: Path) -> None:
    written(path, finished_world())
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"event":"ring","id":"0190')
    ledger = Ledger(path)
    recovered = ledger.recover(START_US + 2 * MINUTE_US, START_US)
    assert recovered.truncated_bytes == len(b'{"event":"ring","id":"0190')
    assert path.read_bytes().startswith(whole)
    assert len(entries(path)) == len(whole.splitlines()) + 2
    ledger.close()


def test_a_foreign_file_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("hello\n")
    ledger = Ledger(path)
    with pytest.raises(LedgerError, match="has a line that is none"):
        ledger.recover(0, 0)
    ledger.close()


def test_only_one_network_writes_a_ledger(path: Path) -> None:
    ledger = Ledger(path)
    with pytest.raises(LedgerError, match="in use by another"):
        Ledger(path)
    ledger.close()


def test_old_ends_are_found_in_the_file(path: Path) -> None:
    world = finished_world()
    expected = {number: world.network.find(call_id(number)) for number in (1, 2)}
    written(path, world)
    ledger = Ledger(path)
    found = ledger.find([call_id(number) for number in (1, 2, 3, 4)], START_US)
    assert found == {call_id(number): expected[number] for number in (1, 2)}
    assert all(isinstance(call, EndedCall) for call in found.values())
    assert ledger.find([call_id(2)], START_US + 1) == {}
    ledger.close()


def test_ends_are_found_across_blocks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simnet.ledger._BLOCK", 64)
    written(path, finished_world())
    ledger = Ledger(path)
    assert set(ledger.find([call_id(1), call_id(2)], 0)) == {call_id(1), call_id(2)}
    assert not ledger.recover(0, 0).truncated_bytes
    ledger.close()


def test_instants_are_written_and_read_back() -> None:
    instant = Instant()
    for instant_in_us in (START_US, START_US + 1, START_US + 999_999, 0):
        assert instant_us(instant.text(instant_in_us)) == instant_in_us
    assert instant.text(START_US) == "2027-01-15T08:00:00.000000Z"


def _restarted(ring_ms: int, talk_ms: int, taker: Taker, answered_us: int) -> Any:
    return Ended(Outcome.NETWORK_RESTART, Side.NETWORK, ring_ms, talk_ms, taker, answered_us)
