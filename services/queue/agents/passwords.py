"""Passwords with argon2, in threads of their own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

THREADS = 2
"""Logins at the same time. Hashing is all computation: more would only starve the dialer's calls."""

# OWASP's choice for argon2id with little memory: many logins must not cost gigabytes.
_MEMORY_KIB = 19 * 1024
_ROUNDS = 2


class ArgonPasswords:
    """Hashes and verifies; see ports.Passwords."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_ROUNDS, memory_cost=_MEMORY_KIB, parallelism=1)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        # Verified against when there is no account; nobody knows its password.
        self._nobody = self._hasher.hash("")

    async def hash(self, password: str) -> str:
        """See ports.Passwords."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._hasher.hash, password)

    async def matches(self, password: str, password_hash: str | None) -> bool:
        """See ports.Passwords."""
        known = password_hash or self._nobody
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._verify, password, known)
        return found and password_hash is not None

    async def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
