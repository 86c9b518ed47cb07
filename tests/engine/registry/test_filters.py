from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bounded.globs import glob
from engine.entry import Entry
from engine.registry.filters import FilterError, matcher

ENTRY = Entry(
    "app.api:get_user",
    "function.lua",
    {"type": "test", "order": 3, "tags": ["fast", "http"], "a.b": 1, "deep": {"er": "x"}, "on": True},
)


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({}, True),
        ({".kind": "function.lua"}, True),
        ({".kind": "function.*"}, True),
        ({".kind": "*.yaml"}, False),
        ({".ns": "app.api", ".name": "get_*"}, True),
        ({".id": "app.*:*user"}, True),
        ({".id": "get_user"}, False),
        ({"meta.type": "test"}, True),
        ({"meta.type": "tes"}, False),
        ({"meta.order": 3}, True),
        ({"meta.order": "3"}, False),
        ({"meta.on": True}, True),
        ({"meta.on": 1}, False),
        ({"meta.absent": "x"}, False),
        ({"meta.a.b": 1}, True),
        ({"meta.deep.er": "x"}, True),
        ({"meta.tags": "fast"}, True),
        ({"meta.tags": ["fast", "http"]}, True),
        ({"meta.tags": ["fast", "slow"]}, False),
        ({"~meta.type": "^t.st$"}, True),
        ({"~meta.type": "x+"}, False),
        ({"*meta.type": "es"}, True),
        ({"^meta.type": "te"}, True),
        ({"^meta.type": "st"}, False),
        ({"$meta.type": "st"}, True),
        ({"*meta.tags": ["as", "tt"]}, True),
        ({"*meta.order": "3"}, False),
        ({"type": "nothing", "kind": "nothing", "~type": "("}, True),
        ({".unknown": 1}, True),
    ],
)
def test_conditions(conditions: dict[str, Any], fits: bool) -> None:
    assert matcher(conditions)(ENTRY) is fits


@pytest.mark.parametrize("conditions", [{"~meta.type": "("}, {".kind": 3}, {"^meta.type": 1}])
def test_a_condition_that_makes_no_sense_is_named(conditions: dict[str, Any]) -> None:
    with pytest.raises(FilterError, match=next(iter(conditions)).replace(".", r"\.").replace("^", r"\^")):
        matcher(conditions)


@given(st.lists(st.text("ab", max_size=3), min_size=1, max_size=5), st.text("ab", max_size=12))
def test_a_glob_is_the_regular_expression_with_anything_for_each_star(parts: list[str], text: str) -> None:
    import re

    assert glob("*".join(parts), text) is bool(re.fullmatch(".*".join(map(re.escape, parts)), text))
