"""Units run Lua as plain Lua 5.4 does; many more programs by `make fuzz`."""

from __future__ import annotations

import random

import pytest

from tests.differential.comparing import differences
from tests.differential.kinds import KINDS, body_of

PROGRAMS = 4_000
WALKS = 600


def test_random_programs_answer_as_in_plain_lua() -> None:
    rng = random.Random("programs")
    found = differences([body_of(rng) for _ in range(PROGRAMS)], "function")
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("kind", ["process", "workflow"])
def test_walks_visit_what_plain_lua_visits_in_each_kind_of_unit(kind: str) -> None:
    rng = random.Random(kind)
    found = differences([KINDS[rng.choice(["walks", "keys"])](rng) for _ in range(WALKS)], kind)
    assert not found, "\n".join(map(str, found))


def test_walks_of_the_first_kernel_are_found_out() -> None:
    rng = random.Random("first")
    assert differences([KINDS["walks"](rng) for _ in range(WALKS)], "function", kernel=1)
