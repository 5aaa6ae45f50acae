"""Who is calling: short signed tokens between processes.

Every process has its own Ed25519 key. The file of trusted keys says which issuer is believed and in
which role; a token never says its own role. A token carries issuer, audience, customer, agent and
permissions. Services still check ownership themselves: a token says who asks, not that they may.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.common.clock import wall_seconds
from services.common.config import ServiceSettings
from services.common.errors import AppError, PermissionDenied, Unauthenticated
from services.common.ids import optional_id, text
from services.common.log import get_logger

TOKEN_SECONDS = 60.0
"""Life of the tokens that processes make for their own calls, real seconds."""
_LEEWAY_SECONDS = 5
_CACHED = 10_000
_RELOAD_SECONDS = 2.0


class Role(StrEnum):
    """What an issuer is. Only the file of trusted keys decides it."""

    GATEWAY = "gateway"
    CLIENT = "client"
    CAMPAIGN = "campaign"
    OUTDIAL = "outdial"
    QUEUE = "queue"
    DIALER = "dialer"


@dataclass(frozen=True, slots=True)
class Caller:
    """The verified sender of a request. `permissions` are the documented bits, 0 for none."""

    role: Role
    issuer: str
    customer_id: UUID | None
    agent_id: UUID | None
    permissions: int


@dataclass(frozen=True, slots=True)
class Acting:
    """For whom outgoing calls are made."""

    customer_id: UUID | None = None
    agent_id: UUID | None = None
    permissions: int = 0


_CALLER: ContextVar[Caller | None] = ContextVar("outbound_caller", default=None)
_ACTING: ContextVar[Acting] = ContextVar("outbound_acting", default=Acting())  # noqa: B039 (frozen)


def current_caller() -> Caller:
    """Who sent the request being handled; Unauthenticated outside of one."""
    caller = _CALLER.get()
    if caller is None:
        raise Unauthenticated("no verified caller")
    return caller


def require_customer() -> UUID:
    """The customer for whom the caller acts; Unauthenticated when for none."""
    customer_id = current_caller().customer_id
    if customer_id is None:
        raise Unauthenticated("the token names no customer; issue one for a customer")
    return customer_id


def require_role(*roles: Role) -> Caller:
    """The caller if it has one of the roles, else PermissionDenied."""
    caller = current_caller()
    if caller.role not in roles:
        accepted = ", ".join(roles)
        raise PermissionDenied(
            f"{caller.issuer} has the role {caller.role}; accepted: {accepted}",
            role=str(caller.role),
        )
    return caller


@contextmanager
def calling(caller: Caller | None) -> Iterator[None]:
    """Make `caller` the current one: the server does it per request, tests around a servicer."""
    token = _CALLER.set(caller)
    try:
        yield
    finally:
        _CALLER.reset(token)


def set_caller(caller: Caller) -> None:
    """Make `caller` the current one until the running task ends."""
    _CALLER.set(caller)


@contextmanager
def acting_for(
    customer_id: UUID | None, agent_id: UUID | None = None, permissions: int = 0
) -> Iterator[None]:
    """Make outgoing calls inside the block for this customer.

    Without it a call carries the process's own identity only; the customer of the request being
    handled is never passed on by itself.
    """
    token = _ACTING.set(Acting(customer_id, agent_id, permissions))
    try:
        yield
    finally:
        _ACTING.reset(token)


def acting() -> Acting:
    """For whom outgoing calls are made now."""
    return _ACTING.get()


class KeyPair(NamedTuple):
    """A new identity: `private_pem` for key_file, `public_key` (base64) for trusted_keys_file."""

    private_pem: str
    public_key: str


def generate_key_pair() -> KeyPair:
    """A fresh Ed25519 key."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    raw = private.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )
    return KeyPair(pem.decode(), base64.b64encode(raw).decode())


class TokenIssuer:
    """Signs tokens as `issuer`. Tokens for repeated calls are reused for half of their life."""

    def __init__(self, issuer: str, private_pem: str) -> None:
        key = _private_key(private_pem)
        self.issuer = issuer
        self._key = key
        self._made: OrderedDict[tuple[str, Acting, float], tuple[str, float]] = OrderedDict()

    @classmethod
    def load(cls, settings: ServiceSettings, issuer: str) -> TokenIssuer:
        """The process's own issuer, from its key file."""
        return cls.from_file(issuer, Path(settings.key_file))

    @classmethod
    def from_file(cls, issuer: str, path: Path) -> TokenIssuer:
        """An issuer whose private key (PEM) is in a file."""
        return cls(issuer, path.read_text())

    def issue(
        self,
        audience: str | Sequence[str],
        *,
        customer_id: UUID | None = None,
        agent_id: UUID | None = None,
        permissions: int = 0,
        ttl: float = TOKEN_SECONDS,
    ) -> str:
        """A new token for one service, or several, that lives for `ttl` real seconds."""
        now = wall_seconds()
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": audience if isinstance(audience, str) else list(audience),
            "iat": int(now),
            "exp": int(now + ttl),
        }
        if customer_id is not None:
            claims["customer"] = text(customer_id)
        if agent_id is not None:
            claims["agent"] = text(agent_id)
        if permissions:
            claims["permissions"] = permissions
        return jwt.encode(claims, self._key, algorithm="EdDSA")

    def token(self, audience: str, whom: Acting, *, seconds: float = TOKEN_SECONDS) -> str:
        """A token that is good for at least half of `seconds` (real) from now."""
        key = (audience, whom, seconds)
        now = wall_seconds()
        made = self._made.get(key)
        if made is not None and now < made[1]:
            return made[0]
        token = self.issue(
            audience,
            customer_id=whom.customer_id,
            agent_id=whom.agent_id,
            permissions=whom.permissions,
            ttl=seconds,
        )
        self._made[key] = (token, now + seconds / 2)
        self._made.move_to_end(key)
        if len(self._made) > _CACHED:
            self._made.popitem(last=False)
        return token


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """One entry of the file of trusted keys. Several keys are for changing over from one to another."""

    role: Role
    keys: tuple[Ed25519PublicKey, ...]


def trusted_keys(document: str) -> dict[str, TrustedIssuer]:
    """Read the file: `{"issuer": {"role": "dialer", "public_key": "<base64>" or a list}}`.

    Raises ValueError that names the issuer and what is wrong.
    """
    entries: dict[str, dict[str, Any]] = json.loads(document)
    if not isinstance(entries, dict):
        raise ValueError("trusted keys: accepted: a JSON object of issuers")
    found = {}
    for issuer, entry in entries.items():
        try:
            public = entry["public_key"]
            keys = [public] if isinstance(public, str) else public
            found[issuer] = TrustedIssuer(
                Role(entry["role"]),
                tuple(
                    Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
                    for key in keys
                ),
            )
        except (KeyError, TypeError, ValueError, binascii.Error) as exc:
            raise ValueError(
                f"trusted keys: issuer {issuer!r}: {exc}; accepted: a role of "
                f"{', '.join(Role)} and a base64 Ed25519 public_key"
            ) from exc
    return found


def trusted_keys_document(entries: Mapping[str, tuple[Role, str]]) -> str:
    """The file for issuers with their roles and public keys."""
    return json.dumps(
        {
            issuer: {"role": str(role), "public_key": public}
            for issuer, (role, public) in entries.items()
        },
        indent=2,
    )


class TokenVerifier:
    """Turns tokens made for `audience` into callers. Verified tokens are remembered until they end.

    Made by `load`, it reads the file of trusted keys again when that changes, so that keys are added
    and withdrawn without a restart.
    """

    def __init__(self, audience: str, trusted: Mapping[str, TrustedIssuer]) -> None:
        self._audience = audience
        self._trusted = dict(trusted)
        self._known: OrderedDict[str, tuple[Caller, float]] = OrderedDict()
        self._file: Path | None = None
        self._version: tuple[int, int] = (0, 0)
        self._refused: tuple[int, int] | None = None
        self._looked = 0.0

    @classmethod
    def load(cls, settings: ServiceSettings, audience: str) -> TokenVerifier:
        """The verifier of the service `audience`, from its file of trusted keys."""
        return cls.from_file(Path(settings.trusted_keys_file), audience)

    @classmethod
    def from_file(cls, path: Path, audience: str) -> TokenVerifier:
        """The verifier for a file of trusted keys."""
        verifier = cls(audience, trusted_keys(path.read_text()))
        verifier._file, verifier._version = path, _version(path)
        return verifier

    def verify(self, token: str) -> Caller:
        """The caller; Unauthenticated when the token is wrong, late, foreign or for another."""
        now = wall_seconds()
        if self._file is not None and abs(now - self._looked) > _RELOAD_SECONDS:
            self._looked = now
            self._reload(self._file)
        known = self._known.get(token)
        if known is not None:
            if now < known[1]:
                return known[0]
            del self._known[token]
        caller, until = self._check(token)
        self._known[token] = (caller, until)
        if len(self._known) > _CACHED:
            self._known.popitem(last=False)
        return caller

    def _reload(self, path: Path) -> None:
        version = (0, 0)
        try:
            version = _version(path)
            if version != self._version:
                # Withdrawn keys must not live on in remembered tokens.
                self._trusted, self._version = trusted_keys(path.read_text()), version
                self._known.clear()
        except (OSError, ValueError) as exc:
            # Half-written or gone: keep what was believed, and look again. Said once for each file,
            # because a key that somebody withdrew is believed until it can be read.
            if version != self._refused:
                get_logger().error("trusted_keys_unreadable", path=str(path), error=str(exc))
            self._refused = version
        else:
            self._refused = None

    def _check(self, token: str) -> tuple[Caller, float]:
        try:
            unverified = jwt.decode(token, options={"verify_signature": False})
        except jwt.PyJWTError:
            raise Unauthenticated("the token is malformed", reason="INVALID_CREDENTIALS") from None
        issuer = unverified.get("iss")
        trusted = self._trusted.get(issuer) if isinstance(issuer, str) else None
        if trusted is None:
            raise Unauthenticated(
                "the token's issuer is not trusted here", reason="INVALID_CREDENTIALS"
            )
        failure: jwt.PyJWTError | None = None
        for key in trusted.keys:
            try:
                claims = jwt.decode(
                    token,
                    key,
                    algorithms=["EdDSA"],
                    audience=self._audience,
                    leeway=_LEEWAY_SECONDS,
                    options={"require": ["iss", "aud", "exp"]},
                )
                return _caller(trusted.role, str(issuer), claims), float(claims["exp"])
            except jwt.PyJWTError as exc:
                failure = exc
        raise Unauthenticated(f"the token is refused: {failure}", reason="INVALID_CREDENTIALS")


def _caller(role: Role, issuer: str, claims: Mapping[str, Any]) -> Caller:
    try:
        customer_id = optional_id(str(claims.get("customer", "")), "customer")
        agent_id = optional_id(str(claims.get("agent", "")), "agent")
        permissions = int(claims.get("permissions", 0))
    except (AppError, ValueError) as exc:
        raise Unauthenticated(
            f"the token is malformed: {exc}", reason="INVALID_CREDENTIALS"
        ) from None
    if role is Role.CLIENT and customer_id is None:
        raise Unauthenticated(
            "a client's token must name its customer", reason="INVALID_CREDENTIALS"
        )
    return Caller(role, issuer, customer_id, agent_id, permissions)


def _private_key(pem: str) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise ValueError(f"key file: {exc}; accepted: an Ed25519 private key in PEM") from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("key file: accepted: an Ed25519 private key in PEM")
    return key


def _version(path: Path) -> tuple[int, int]:
    state = os.stat(path)
    return state.st_mtime_ns, state.st_size
