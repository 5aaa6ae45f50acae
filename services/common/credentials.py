"""Forms of what a customer signs in with, for those who keep it and those who are given it at start.

Each check answers what is accepted when the value is not, and nothing when it is.
"""

from __future__ import annotations

import re
from typing import Final

from services.common.limits import PASSWORD_LENGTH

MAX_USERNAME: Final = 255
_USERNAME: Final = re.compile(r"[^@\s\x00]+@[^@\s\x00]+")
_ACCESS_KEY: Final = re.compile(r"vb_[A-Za-z0-9]{32}")


def username_fault(username: str) -> str:
    """A username is shaped like an e-mail address."""
    if len(username) <= MAX_USERNAME and _USERNAME.fullmatch(username) is not None:
        return ""
    return f"an e-mail address of at most {MAX_USERNAME} characters"


def password_fault(password: str) -> str:
    """A password is neither guessed at once nor long enough to keep the hash busy."""
    shortest, longest = PASSWORD_LENGTH
    if shortest <= len(password) <= longest:
        return ""
    return f"{shortest}..{longest} characters"


def access_key_fault(key: str) -> str:
    """An access key is of the form the documented API shows."""
    return "" if _ACCESS_KEY.fullmatch(key) is not None else "vb_ and 32 letters or digits"
