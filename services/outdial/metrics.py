"""What the process tells Prometheus about dialing and imports, beside its RPCs."""

from __future__ import annotations

from services.common.metrics import counter, histogram

claim_seconds = histogram(
    "outdial_claim_seconds", "Time a claim takes in the database", ("outcome",)
)
"""Outcome: idle (nothing is due), taken, repeated."""
claimed_targets = counter("outdial_claimed_targets", "Targets claimed")
exhausted_targets = counter(
    "outdial_exhausted_targets", "Due targets closed by a claim: no slot is usable"
)
settled_targets = counter(
    "outdial_settled_targets", "Targets settled, by what they became", ("to",)
)
released_targets = counter("outdial_released_targets", "Targets whose claim was given back")
resolved_attempts = counter(
    "outdial_resolved_attempts", "Attempts of expired claims asked about, by state", ("state",)
)
reopened_targets = counter("outdial_reopened_targets", "Exhausted targets given tries again")
import_rows = counter(
    "outdial_import_rows", "Rows of finished imports, by what they became", ("to",)
)
import_seconds = histogram(
    "outdial_import_finish_seconds",
    "Time from the last row of an import to its commit",
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0),
)
