"""The one error hierarchy that callers may act on.

Each class stands for one canonical gRPC code; the mapping itself lives in `status.py`, so that the
innermost layers can raise these without knowing any transport. The text of an AppError reaches the
caller: it says what is wrong and what to do, with the value, and never holds a secret.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One wrong field of a request: its name as the caller wrote it, and what is accepted."""

    field: str
    description: str


class AppError(Exception):
    """An error with a stable reason. Raise one of the subclasses.

    `reason` is UPPER_SNAKE and stable: callers branch on it, never on the text. `retry_after` is in
    real seconds. `metadata` repeats every dynamic value that appears in the text.
    """

    default_reason: ClassVar[str] = "INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        violations: Iterable[FieldViolation] = (),
        retry_after: float | None = None,
        **metadata: str,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.violations = tuple(violations)
        self.retry_after = retry_after
        self.metadata = metadata

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, reason={self.reason!r})"


class InvalidArgument(AppError):
    """The request is wrong whatever the state of the system."""

    default_reason = "INVALID_ARGUMENT"


class Unauthenticated(AppError):
    """Nobody, or nobody we can verify, is calling."""

    default_reason = "AUTHENTICATION_REQUIRED"


class PermissionDenied(AppError):
    """The caller is known and may not do this, or the resource belongs to another customer."""

    default_reason = "PERMISSION_DENIED"


class NotFound(AppError):
    """No such resource."""

    default_reason = "RESOURCE_NOT_FOUND"


class AlreadyExists(AppError):
    """The id or the unique name is taken by something else."""

    default_reason = "ALREADY_EXISTS"


class FailedPrecondition(AppError):
    """The resource is in a state that does not allow this."""

    default_reason = "STATE_INVALID"


class Aborted(AppError):
    """Lost a race; reading again and retrying may succeed."""

    default_reason = "ABORTED"


class ResourceExhausted(AppError):
    """A quota or rate is used up; `retry_after` says when to come back, if that is known."""

    default_reason = "RESOURCE_LIMIT_EXCEEDED"


class Unavailable(AppError):
    """Something this needs is down or too slow; an idempotent call may be retried as it is."""

    default_reason = "SERVICE_UNAVAILABLE"


class Internal(AppError):
    """A fault of ours. The text is fixed before it leaves the process."""

    default_reason = "INTERNAL"


def invalid(
    field: str, value: object, accepted: str, *, reason: str | None = None
) -> InvalidArgument:
    """An error whose text names the field, the value given and what is accepted instead.

    >>> str(invalid("dial_timeout", -1, "0 or more milliseconds"))
    'dial_timeout is -1; accepted: 0 or more milliseconds'
    """
    shown = repr(value) if isinstance(value, str) else str(value)
    if len(shown) > 200:
        shown = shown[:200] + "…"
    return InvalidArgument(
        f"{field} is {shown}; accepted: {accepted}",
        reason=reason,
        violations=(FieldViolation(field, f"accepted: {accepted}"),),
        field=field,
        value=shown,
    )
