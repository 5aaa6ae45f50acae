"""AppError <-> gRPC status, with google.rpc details. The only place that knows both."""

from __future__ import annotations

from typing import Final

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from services.common import errors

DOMAIN: Final = "outbound"
"""Domain of the ErrorInfo reasons."""
_DETAILS_KEY: Final = "grpc-status-details-bin"
# Trailers have to stay below gRPC's 8 KB, or the caller gets RESOURCE_EXHAUSTED instead of the error.
# The text goes there twice, once percent-encoded; the details may be sent as base64.
_MESSAGE_BYTES: Final = 1500
_VIOLATION_BYTES: Final = 1400
_METADATA_CHARACTERS: Final = 100
_METADATA_BYTES: Final = 1000

CODES: Final[dict[type[errors.AppError], grpc.StatusCode]] = {
    errors.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Aborted: grpc.StatusCode.ABORTED,
    errors.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.Internal: grpc.StatusCode.INTERNAL,
}
_CLASSES: Final = {code: cls for cls, code in CODES.items()}


def code_of(error: errors.AppError) -> grpc.StatusCode:
    """The canonical code of the error's class."""
    for cls in type(error).__mro__:
        if cls in CODES:
            return CODES[cls]
    return grpc.StatusCode.INTERNAL


def trailers(error: errors.AppError, request_id: str) -> tuple[tuple[str, str | bytes], ...]:
    """Trailing metadata that carries the details: reason, metadata, fields, retry, request id."""
    status = status_pb2.Status(code=code_of(error).value[0], message=message_of(error))
    metadata = _metadata_of(error)
    _attach(
        status, error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
    )
    if error.violations:
        _attach(status, _bad_request(error))
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromNanoseconds(int(error.retry_after * 1_000_000_000))
        _attach(status, error_details_pb2.RetryInfo(retry_delay=delay))
    if request_id:
        _attach(status, error_details_pb2.RequestInfo(request_id=request_id))
    return (*rpc_status.to_status(status).trailing_metadata, ("x-request-id", request_id))


def message_of(error: errors.AppError) -> str:
    """The error's text at the length that fits into a status."""
    room = _MESSAGE_BYTES
    for index, character in enumerate(error.message):
        # What is not ASCII is sent as %XX for each byte.
        room -= 1 if character.isascii() else 3 * len(character.encode())
        if room < 0:
            return error.message[:index] + "…"
    return error.message


def _metadata_of(error: errors.AppError) -> dict[str, str]:
    metadata, room = {}, _METADATA_BYTES
    for key, value in error.metadata.items():
        cut = value[:_METADATA_CHARACTERS]
        room -= len(key.encode()) + len(cut.encode()) + 6
        if room < 0:
            break
        metadata[key] = cut
    return metadata


def from_rpc_error(failure: grpc.aio.AioRpcError, service: str) -> errors.AppError:
    """The AppError that the other side raised, or what a failure of the transport means."""
    code = failure.code()
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.Unavailable(f"{service} took too long", reason="REQUEST_TIMEOUT")
    if code is grpc.StatusCode.CANCELLED:
        return errors.Unavailable(f"the call to {service} was cancelled", reason="REQUEST_CANCELED")
    cls = _CLASSES.get(code)
    if cls is None:
        return errors.Internal(f"{service} answered {code.name}: {failure.details()}")
    status = _rich_status(failure)
    if status is None:
        if cls is errors.Unavailable:
            return errors.Unavailable(f"{service} is not available; try again", retry_after=1.0)
        return cls(failure.details() or code.name)
    return _restore(cls, status)


def _restore(cls: type[errors.AppError], status: status_pb2.Status) -> errors.AppError:
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    retry_after = None
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(request.DESCRIPTOR):
            detail.Unpack(request)
        elif detail.Is(retry.DESCRIPTOR):
            detail.Unpack(retry)
            retry_after = retry.retry_delay.ToNanoseconds() / 1_000_000_000
    error = cls(
        status.message,
        reason=info.reason or None,
        violations=[
            errors.FieldViolation(each.field, each.description) for each in request.field_violations
        ],
        retry_after=retry_after,
    )
    # Not as keyword arguments: another language's key may be one of the parameters' names.
    error.metadata = dict(info.metadata)
    return error


def _rich_status(failure: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    trailing = failure.trailing_metadata()
    for key, value in trailing or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            return status_pb2.Status.FromString(value)
    return None


def _bad_request(error: errors.AppError) -> error_details_pb2.BadRequest:
    request = error_details_pb2.BadRequest()
    room = _VIOLATION_BYTES
    for each in error.violations:
        room -= len(each.field.encode()) + len(each.description.encode()) + 8
        if room < 0:
            break
        request.field_violations.add(field=each.field, description=each.description)
    return request


def _attach(
    status: status_pb2.Status,
    detail: error_details_pb2.ErrorInfo
    | error_details_pb2.BadRequest
    | error_details_pb2.RetryInfo
    | error_details_pb2.RequestInfo,
) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)
