"""Making and reading the two credentials: access keys and login tokens. Pure but for randomness."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import jwt
from outbound.agent.v1 import agent_service_pb2 as agent_pb

from services.common.clock import wall_seconds
from services.common.errors import InvalidArgument, Unauthenticated
from services.common.ids import parse_id

KEY_PREFIX: Final = "vb_"
PREFIX_LENGTH: Final = 11
"""How much of a key is shown after its creation."""
LOGIN_SECONDS: Final = 7 * 24 * 3600
"""Life of a login token, real seconds."""
_KEY_FORM = re.compile(r"vb_[A-Za-z0-9]{32}")
_ALPHABET = string.ascii_letters + string.digits
_ISSUER = "outbound-gateway"


def new_key() -> str:
    """A fresh access key: `vb_` and 32 random letters or digits (190 bits)."""
    return KEY_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(32))


def derived_text(secret: str, purpose: str, length: int = 32) -> str:
    """Letters and digits that only the holder of the secret can work out; always the same ones.

    For credentials whose making may be repeated after a crash and must give the same result.
    """
    digest = hmac.digest(secret.encode(), purpose.encode(), "sha512")
    number = int.from_bytes(digest, "big")
    found = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        found.append(_ALPHABET[digit])
    return "".join(found)


def derived_key(secret: str, purpose: str) -> str:
    """An access key made by derived_text."""
    return KEY_PREFIX + derived_text(secret, purpose)


def is_key(credential: str) -> bool:
    """Whether a credential looks like an access key; anything else is taken for a login token."""
    return _KEY_FORM.fullmatch(credential) is not None


def hash_of(key: str) -> str:
    """What is stored of a key: SHA-256 in hex. Keys are random, so no salt and no stretching."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class LoginClaims:
    """What a valid login token says. What the agent may do is looked up, not read from here."""

    agent_id: UUID
    customer_id: UUID


class LoginTokens:
    """Signs and reads login tokens (HS256) with the deployment's secret."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def issue(self, agent: agent_pb.Agent, agent_json: Mapping[str, Any]) -> str:
        """A token for 7 days, with the documented claims."""
        now = wall_seconds()
        until = datetime.fromtimestamp(now + LOGIN_SECONDS, UTC)
        claims = {
            "iss": _ISSUER,
            "sub": agent.id,
            "customer": agent.customer_id,
            "iat": int(now),
            "exp": int(now + LOGIN_SECONDS),
            "type": "agent",
            "agent": dict(agent_json),
            "expire": f"{until:%Y-%m-%d %H:%M:%S.%f}",
        }
        return jwt.encode(claims, self._secret, algorithm="HS256")

    def read(self, token: str) -> LoginClaims:
        """The claims; Unauthenticated when the token is malformed, forged or over."""
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                issuer=_ISSUER,
                options={"require": ["exp", "iss", "sub"]},
            )
            return LoginClaims(
                parse_id(str(claims["sub"]), "sub"),
                parse_id(str(claims.get("customer", "")), "customer"),
            )
        except jwt.ExpiredSignatureError:
            raise _refused("the login token has expired; log in again") from None
        except (jwt.PyJWTError, InvalidArgument):
            raise _refused(
                "the credential is neither a known access key nor a login token"
            ) from None


def _refused(message: str) -> Unauthenticated:
    return Unauthenticated(message, reason="INVALID_CREDENTIALS")
