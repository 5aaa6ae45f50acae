"""The auditor can fail: each kind of corrupted evidence is found, and sound evidence is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.audit import Evidence, NetworkCall, Plan, audit

ONE, TWO = "+15550000001", "+15550000002"


def attempt(call_id: str, target: str, number: str, reason: str) -> dict[str, Any]:
    is_reached = reason == "normal"
    return {
        "id": call_id,
        "outdial_target_id": target,
        "destination": {"target": number},
        "destination_index": 0,
        "status": "done",
        "result": "success" if is_reached else "fail",
        "hangup_reason": reason,
        "hangup_detail": "",
        "is_refunded": False,
        "is_abandoned": False,
        "is_machine": False,
        "answer_to_agent": None,
        "tm_answer": "2026-01-01T00:00:03Z" if is_reached else None,
        "tm_connect": None,
        "tm_abandon": None,
        "tm_end": "2026-01-01T00:00:08Z",
    }


def target(target_id: str, result: str, tries: int) -> dict[str, Any]:
    counts = {f"try_count_{slot}": tries if slot == 0 else 0 for slot in range(5)}
    return {"id": target_id, "status": "done", "result": result, **counts}


def call(call_id: str, number: str, second: int, *, is_answered: bool = False) -> NetworkCall:
    return NetworkCall(
        call_id,
        number,
        f"2026-01-01T00:00:{second:02}Z",
        tm_answer=f"2026-01-01T00:00:{second + 1:02}Z" if is_answered else "",
        tm_end=f"2026-01-01T00:00:{second + 5:02}Z",
        outcome="normal" if is_answered else "busy",
    )


def events(attempts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = [
        (each["id"], name)
        for each in attempts
        for name in ("created", "progressing", "done")
        if name != "progressing" or each["tm_answer"]
    ]
    return [
        {"id": f"{key}/{name}", "resource": "campaigncall", "resource_id": key, "event": name}
        for key, name in names
    ]


def sound() -> Evidence:
    """One person busy and then reached, one never reached."""
    attempts = [
        attempt("a", "t1", ONE, "busy"),
        attempt("b", "t1", ONE, "normal"),
        attempt("c", "t2", TWO, "busy"),
    ]
    counted = {
        "attempt_count": 3,
        "dialing_count": 0,
        "progressing_count": 0,
        "done_count": 3,
        "success_count": 1,
        "fail_count": 2,
        "answered_count": 1,
        "answered_by_person_count": 1,
        "answer_to_agent_ms_max": 0,
        "connected_count": 0,
        "abandoned_count": 0,
        "refunded_count": 0,
        "hangup_reason_counts": dict(Counter({"busy": 2, "normal": 1, "amd": 0})),
    }
    of_targets = {
        "total_count": 2,
        "idle_count": 0,
        "progressing_count": 0,
        "success_count": 1,
        "fail_count": 1,
    }
    return Evidence(
        plan=Plan((2, 0, 0, 0, 0)),
        campaign={},
        stats={"attempts": counted, "targets": of_targets},
        campaigncalls=attempts,
        targets=[target("t1", "success", 2), target("t2", "fail", 1)],
        network={
            each.id: each
            for each in (
                call("a", ONE, 0),
                call("b", ONE, 10, is_answered=True),
                call("c", TWO, 0),
            )
        },
        events=events(attempts),
    )


def two_at_once(evidence: Any) -> None:
    evidence.network["a"].tm_end = "2026-01-01T00:00:11Z"


def still_live_when_rung_again(evidence: Any) -> None:
    evidence.network["a"].tm_end = ""


def call_without_attempt(evidence: Any) -> None:
    evidence.network["z"] = call("z", "+15550000009", 0)


def attempt_never_rung(evidence: Any) -> None:
    del evidence.network["c"]


def wrong_number(evidence: Any) -> None:
    evidence.network["c"].number = "+15550000009"


def answer_not_noticed(evidence: Any) -> None:
    evidence.network["c"].tm_answer = "2026-01-01T00:00:01Z"


def rang_and_given_back(evidence: Any) -> None:
    evidence.campaigncalls[2]["is_refunded"] = True


def too_many_tries(evidence: Any) -> None:
    evidence.plan = Plan((1, 0, 0, 0, 0))


def miscounted_tries(evidence: Any) -> None:
    evidence.targets[1]["try_count_0"] = 2


def attempt_left_open(evidence: Any) -> None:
    evidence.campaigncalls[2]["status"] = "dialing"


def target_left_idle(evidence: Any) -> None:
    evidence.targets[1].update(status="idle", result="")


def target_against_its_attempts(evidence: Any) -> None:
    evidence.targets[0]["result"] = "fail"


def target_forgotten(evidence: Any) -> None:
    del evidence.targets[1]


def stats_off_by_one(evidence: Any) -> None:
    evidence.stats["attempts"]["answered_count"] += 1


def reasons_off_by_one(evidence: Any) -> None:
    evidence.stats["attempts"]["hangup_reason_counts"]["busy"] -= 1


def target_stats_off_by_one(evidence: Any) -> None:
    evidence.stats["targets"]["total_count"] += 1


def event_missing(evidence: Any) -> None:
    del evidence.events[1]


def all_events_missing(evidence: Any) -> None:
    evidence.events.clear()


def event_told_as_two(evidence: Any) -> None:
    evidence.events.append({**evidence.events[1], "id": "another"})


def event_of_nobody(evidence: Any) -> None:
    evidence.events.append({**evidence.events[0], "id": "another", "resource_id": "z"})


def _in_queue(evidence: Any, status: str, of: str = "b") -> None:
    evidence.queuecalls = [{"id": "q", "reference_id": of, "status": status}]


def served_and_not_connected(evidence: Any) -> None:
    _in_queue(evidence, "done")


def connected_and_not_served(evidence: Any) -> None:
    evidence.campaigncalls[1]["tm_connect"] = "2026-01-01T00:00:04Z"


def left_alone_and_not_abandoned(evidence: Any) -> None:
    _in_queue(evidence, "abandoned")


def abandoned_without_a_queue(evidence: Any) -> None:
    evidence.campaigncalls[1]["is_abandoned"] = True


def queuecall_left_waiting(evidence: Any) -> None:
    _in_queue(evidence, "waiting")


def queuecall_of_nobody(evidence: Any) -> None:
    _in_queue(evidence, "abandoned", of="z")


@pytest.mark.parametrize(
    ("corrupt", "said"),
    [
        (two_at_once, "two live calls"),
        (still_live_when_rung_again, "two live calls"),
        (call_without_attempt, "has no campaigncall"),
        (attempt_never_rung, "never rang"),
        (wrong_number, "not its destination"),
        (answer_not_noticed, "disagree on the answer"),
        (rang_and_given_back, "its try was given back"),
        (too_many_tries, "the plan allows 1"),
        (miscounted_tries, "counts 2, made 1"),
        (attempt_left_open, "is dialing"),
        (target_left_idle, "was left idle"),
        (target_against_its_attempts, "against its attempts"),
        (target_forgotten, "is of no target"),
        (stats_off_by_one, "answered_count"),
        (reasons_off_by_one, "hangup_reason_counts"),
        (target_stats_off_by_one, "total_count"),
        (event_missing, "events"),
        (all_events_missing, "events"),
        (event_told_as_two, "events"),
        (event_of_nobody, "unknown campaigncall"),
        (served_and_not_connected, "is not connected, its queuecalls are {'done': 1}"),
        (connected_and_not_served, "is connected, its queuecalls are {}"),
        (left_alone_and_not_abandoned, "is not abandoned, its queuecalls are"),
        (abandoned_without_a_queue, "was in no queue"),
        (queuecall_left_waiting, "was left waiting"),
        (queuecall_of_nobody, "of no campaigncall"),
    ],
)
def test_corrupted_evidence_is_found(corrupt: Callable[[Any], None], said: str) -> None:
    evidence = sound()
    corrupt(evidence)
    findings = audit(evidence)
    assert any(said in finding for finding in findings), findings


def test_sound_evidence_is_not_objected_to() -> None:
    evidence = sound()
    assert audit(evidence) == []
    # At least once: the same event delivered again is none of its own.
    evidence.events = events([dict(each) for each in evidence.campaigncalls]) * 2
    assert audit(evidence) == []
