"""A made-up list of people for demonstrations: the same list every time."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator

_FIRST = ("Ada", "Ben", "Chloe", "Dmitri", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas")
_LAST = ("Abara", "Berg", "Castro", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito")
_PRODUCTS = ("fibre", "mobile", "tv", "alarm")
# Reserved for fiction: nobody owns a number of this block.
_BLOCK = "+1555"
_SECOND_NUMBER_EVERY = 5


def sample_csv(count: int, seed: int = 1) -> Iterator[bytes]:
    """A CSV list of `count` people with a header; every fifth has a second number."""
    chance = random.Random(seed)
    yield _row(["name", "detail", "phone", "destination_1", "product"])
    for index in range(count):
        name = f"{chance.choice(_FIRST)} {chance.choice(_LAST)}"
        second = f"{_BLOCK}8{index:06d}" if index % _SECOND_NUMBER_EVERY == 0 else ""
        product = chance.choice(_PRODUCTS)
        yield _row([name, f"customer {index + 1}", f"{_BLOCK}7{index:06d}", second, product])


def _row(cells: list[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()
