"""Passwords with the real argon2."""

from __future__ import annotations

from services.queue.agents.passwords import ArgonPasswords


async def test_only_the_right_password_matches() -> None:
    passwords = ArgonPasswords()
    hashed = await passwords.hash("correct horse")
    assert hashed.startswith("$argon2id$")
    assert hashed != await passwords.hash("correct horse")
    assert await passwords.matches("correct horse", hashed)
    assert not await passwords.matches("wrong horse", hashed)
    assert not await passwords.matches("correct horse", "not a hash")
    await passwords.close()


async def test_without_an_account_nothing_matches_not_even_the_stand_in() -> None:
    passwords = ArgonPasswords()
    assert not await passwords.matches("", None)
    assert not await passwords.matches("correct horse", None)
    await passwords.close()
