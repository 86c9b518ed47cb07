"""The kinds of random programs by name."""

from __future__ import annotations

import random

from tests.differential.odd_programs import calls, coroutines, formats, keys, lists
from tests.differential.programs import Make, flows, matching, metas, mistakes, numbers, strings, tables, walks

KINDS: dict[str, Make] = {
    make.__name__: make
    for make in (
        matching, strings, numbers, tables, walks, metas, mistakes, flows, calls, formats, lists, keys, coroutines,
    )
}  # fmt: skip


def body_of(rng: random.Random) -> str:
    """One program."""
    return rng.choice([*KINDS.values()])(rng)
