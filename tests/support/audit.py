"""The auditor: compares what the simulated network wrote down with what the system says happened.

It believes neither: the ledger is the network's own file, everything else is read through the
public API and the event stream. Each finding is one sentence; no findings is the proof.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Attempts the system closed without hearing from the network say so in their detail.
LOST = frozenset({"lost", "lost_after_answer"})
NIL = "00000000-0000-0000-0000-000000000000"


@dataclass(slots=True)
class NetworkCall:
    """One call as the network saw it."""

    id: str
    number: str
    tm_start: str
    tm_answer: str = ""
    answered_by: str = ""
    tm_end: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the outplan allows."""

    max_try_counts: tuple[int, int, int, int, int]


@dataclass(slots=True)
class Evidence:
    """Everything about one finished campaign. `events` is None when they were not gathered."""

    plan: Plan
    campaign: Mapping[str, Any]
    stats: Mapping[str, Any]
    campaigncalls: Sequence[Mapping[str, Any]]
    targets: Sequence[Mapping[str, Any]]
    network: Mapping[str, NetworkCall]
    queuecalls: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] | None = None


def read_ledger(path: Path, kind: str = "customer") -> dict[str, NetworkCall]:
    """Calls of one kind by id. A line cut off by a crash is the last one and is left out."""
    calls: dict[str, NetworkCall] = {}
    for line in path.read_text().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        name, call_id = entry["event"], entry["id"]
        if name in ("ring", "place"):
            if entry["kind"] == kind:
                assert call_id not in calls, f"the network started {call_id} twice"
                calls[call_id] = NetworkCall(call_id, entry["number"], entry["tm"])
        elif call_id in calls:
            call = calls[call_id]
            if name == "answer":
                call.tm_answer, call.answered_by = entry["tm"], entry["by"]
            elif name == "end":
                call.tm_end, call.outcome = entry["tm"], entry["outcome"]
    return calls


def audit(evidence: Evidence) -> list[str]:
    """Every broken promise, as sentences."""
    findings: list[str] = []
    findings += _never_two_at_once(evidence.network.values())
    findings += _ledger_and_attempts_agree(evidence)
    findings += _tries_within_plan(evidence)
    findings += _targets_settled(evidence)
    findings += _stats_agree(evidence)
    findings += _queuecalls_agree(evidence)
    if evidence.events is not None:
        findings += _events_agree(evidence, evidence.events)
    return findings


def _never_two_at_once(calls: Iterable[NetworkCall]) -> list[str]:
    by_number: dict[str, list[NetworkCall]] = defaultdict(list)
    for call in calls:
        by_number[call.number].append(call)
    findings = []
    for number, own in by_number.items():
        own.sort(key=lambda call: call.tm_start)
        for earlier, later in itertools.pairwise(own):
            if not earlier.tm_end or later.tm_start < earlier.tm_end:
                findings.append(f"{number} had two live calls: {earlier.id} and {later.id}")
    return findings


def _ledger_and_attempts_agree(evidence: Evidence) -> list[str]:
    findings = []
    attempts = {call["id"]: call for call in evidence.campaigncalls}
    if len(attempts) != len(evidence.campaigncalls):
        findings.append("the list of campaigncalls names one twice")
    for call_id, call in evidence.network.items():
        attempt = attempts.get(call_id)
        if attempt is None:
            findings.append(f"call {call_id} to {call.number} has no campaigncall")
            continue
        if attempt["destination"]["target"] != call.number:
            findings.append(f"call {call_id} rang {call.number}, not its destination")
        if attempt["is_refunded"] and call.outcome != "canceled":
            findings.append(f"call {call_id} rang ({call.outcome}) but its try was given back")
        if attempt["hangup_detail"] in LOST:
            continue
        if bool(call.tm_answer) != (_time(attempt["tm_answer"]) is not None):
            findings.append(f"call {call_id}: network and campaigncall disagree on the answer")
    for call_id, attempt in attempts.items():
        unplaced = attempt["is_refunded"] or attempt["hangup_detail"] in LOST
        if call_id not in evidence.network and not unplaced:
            findings.append(f"campaigncall {call_id} ({attempt['hangup_reason']}) never rang")
        if attempt["status"] != "done":
            findings.append(f"campaigncall {call_id} is {attempt['status']}")
        expected = "success" if attempt["hangup_reason"] == "normal" else "fail"
        if attempt["result"] != expected:
            findings.append(f"campaigncall {call_id}: {attempt['hangup_reason']} is not {expected}")
    return findings


def _tries_within_plan(evidence: Evidence) -> list[str]:
    used: Counter[tuple[str, int]] = Counter()
    for attempt in evidence.campaigncalls:
        if not attempt["is_refunded"]:
            used[attempt["outdial_target_id"], attempt["destination_index"]] += 1
    findings = []
    for (target, slot), count in used.items():
        allowed = evidence.plan.max_try_counts[slot]
        if count > allowed:
            findings.append(
                f"target {target} slot {slot}: {count} tries, the plan allows {allowed}"
            )
    for each in evidence.targets:
        for slot in range(5):
            counted, seen = each[f"try_count_{slot}"], used[each["id"], slot]
            if counted != seen:
                findings.append(f"target {each['id']} slot {slot}: counts {counted}, made {seen}")
    return findings


def _targets_settled(evidence: Evidence) -> list[str]:
    reached = {
        attempt["outdial_target_id"]
        for attempt in evidence.campaigncalls
        if attempt["result"] == "success"
    }
    findings = []
    known = {target["id"] for target in evidence.targets}
    for attempt in evidence.campaigncalls:
        if attempt["outdial_target_id"] not in known:
            findings.append(f"campaigncall {attempt['id']} is of no target")
    for target in evidence.targets:
        if target["status"] != "done":
            findings.append(f"target {target['id']} was left {target['status']}")
        elif (target["result"] == "success") != (target["id"] in reached):
            findings.append(f"target {target['id']} is {target['result']} against its attempts")
    return findings


def _stats_agree(evidence: Evidence) -> list[str]:
    calls, stats = evidence.campaigncalls, evidence.stats
    reasons = Counter(call["hangup_reason"] for call in calls)
    results = Counter(target["result"] for target in evidence.targets)
    expected = {
        "attempt_count": len(calls),
        "dialing_count": 0,
        "progressing_count": 0,
        "done_count": len(calls),
        "success_count": sum(call["result"] == "success" for call in calls),
        "fail_count": sum(call["result"] == "fail" for call in calls),
        "answered_count": sum(_time(call["tm_answer"]) is not None for call in calls),
        "connected_count": sum(_time(call["tm_connect"]) is not None for call in calls),
        "answered_by_person_count": sum(
            _time(call["tm_answer"]) is not None and not call["is_machine"] for call in calls
        ),
        "abandoned_count": sum(call["is_abandoned"] for call in calls),
        "answer_to_agent_ms_max": max((call["answer_to_agent"] or 0 for call in calls), default=0),
        "refunded_count": sum(call["is_refunded"] for call in calls),
        "hangup_reason_counts": dict(reasons),
    }
    counted = dict(stats["attempts"])
    reasons_counted = counted["hangup_reason_counts"].items()
    counted["hangup_reason_counts"] = {name: count for name, count in reasons_counted if count}
    findings = [
        f"stats say {name} {counted.get(name)}, the attempts {value}"
        for name, value in expected.items()
        if counted.get(name) != value
    ]
    targets = {
        "total_count": len(evidence.targets),
        "idle_count": 0,
        "progressing_count": 0,
        "success_count": results["success"],
        "fail_count": results["fail"],
    }
    findings += [
        f"stats say targets {name} {stats['targets'].get(name)}, the targets {value}"
        for name, value in targets.items()
        if stats["targets"].get(name) != value
    ]
    return findings


def _queuecalls_agree(evidence: Evidence) -> list[str]:
    """A person was served in a queue exactly when the attempt says so, and left it alone likewise."""
    attempts = {call["id"]: call for call in evidence.campaigncalls}
    stays: dict[str, list[str]] = defaultdict(list)
    findings = []
    for stay in evidence.queuecalls:
        stays[stay["reference_id"]].append(stay["status"])
        if stay["status"] not in ("done", "abandoned"):
            findings.append(f"queuecall {stay['id']} was left {stay['status']}")
        if stay["reference_id"] not in attempts:
            findings.append(f"queuecall {stay['id']} is of no campaigncall")
    for call_id, attempt in attempts.items():
        if attempt["hangup_detail"] in LOST:
            continue
        own = Counter(stays[call_id])
        is_connected = _time(attempt["tm_connect"]) is not None
        if own["done"] != int(is_connected):
            words = "connected" if is_connected else "not connected"
            findings.append(f"campaigncall {call_id} is {words}, its queuecalls are {dict(own)}")
        was_alone = bool(own) and not own["done"] and not attempt["is_machine"]
        if was_alone and not attempt["is_abandoned"]:
            findings.append(f"campaigncall {call_id} is not abandoned, its queuecalls are")
        if attempt["is_abandoned"] and not own:
            findings.append(f"campaigncall {call_id} is abandoned and was in no queue")
        if attempt["is_abandoned"] != (_time(attempt["tm_abandon"]) is not None):
            findings.append(f"campaigncall {call_id}: is_abandoned and tm_abandon disagree")
    return findings


def _events_agree(evidence: Evidence, events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every attempt has exactly one event for each of its changes; a repeated delivery is none."""
    findings = []
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    ids = set()
    for event in events:
        if event["resource"] != "campaigncall" or event["id"] in ids:
            continue
        ids.add(event["id"])
        seen[event["resource_id"]][event["event"]] += 1
    for attempt in evidence.campaigncalls:
        expected = Counter(
            {
                "created": 1,
                "progressing": int(_time(attempt["tm_answer"]) is not None),
                "connected": int(_time(attempt["tm_connect"]) is not None),
                "done": 1,
            }
        )
        # Told when the limit is over; of those who left before it, `done` tells.
        was_late = attempt["is_abandoned"] and attempt["tm_abandon"] != attempt["tm_end"]
        expected["abandoned"] = int(was_late)
        if seen[attempt["id"]] != +expected:
            found = dict(seen[attempt["id"]])
            findings.append(f"campaigncall {attempt['id']}: events {found}, not {dict(+expected)}")
    extra = set(seen) - {attempt["id"] for attempt in evidence.campaigncalls}
    findings += [f"events of an unknown campaigncall {each}" for each in sorted(extra)]
    return findings


def _time(value: str | None) -> str | None:
    return None if value is None or value.startswith("9999-") else value
