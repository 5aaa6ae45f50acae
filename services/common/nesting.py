"""How deep the lists and objects of a caller's JSON may lie within each other: one limit everywhere.

Whatever reads, writes or walks JSON gives up somewhere, each at another depth; what is let in below this
limit is safe with all of them.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

MAX_DEPTH: Final = 32
"""Most levels of lists and objects within each other."""
DEEP: Final = f"nested deeper than {MAX_DEPTH} levels"
SHALLOW: Final = f"at most {MAX_DEPTH} levels of lists and objects within each other"


def is_deep(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Whether a JSON value has more levels than that."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return levels == 0 or any(is_deep(each, levels - 1) for each in inner)
    return False


def is_deep_text(text: str) -> bool:
    """Whether a text is JSON of an object that is too deep. Any other text is just a text."""
    if text.count("{") + text.count("[") <= MAX_DEPTH or not text.lstrip().startswith("{"):
        return False
    try:
        return is_deep(orjson.loads(text))
    except orjson.JSONDecodeError:
        return False
