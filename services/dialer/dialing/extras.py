"""What a plan gives each call on its way: headers and variables, filled in for the attempt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from services.common.extras import sendable
from services.dialer.attempts import Attempt
from services.dialer.domain.variables import of_call, of_campaign, substitute


class Extras:
    """Those of one attempt."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt

    def of(self, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Names with what becomes of their values; nothing when that is longer than can be handled."""
        for name, value in given.items():
            try:
                filled = substitute(value, self._variables) if "${" in value else value
            except ValueError:
                filled = ""
            yield name, sendable(filled)

    @cached_property
    def _variables(self) -> Mapping[str, str]:
        # Most plans refer to none: a target's data is read for those that do.
        attempt = self._attempt
        return of_call(attempt.id, attempt.source, attempt.destination) | of_campaign(
            attempt.campaign,
            attempt.target,
            attempt.id,
            attempt.destination,
            attempt.destination_index,
            attempt.try_count,
        )
