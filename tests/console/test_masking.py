"""Masked paths: where they lead, what entries declare of them, and who sees through the dots."""

from __future__ import annotations

from typing import Any

import pytest

from wippy_console.services.masking import MASK, masked

GIVEN: dict[str, Any] = {"card": {"number": "4111", "month": 5}, "lines": [{"sku": "a"}, {"sku": "b"}], "n": None}


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("card.number", {**GIVEN, "card": {"number": MASK, "month": 5}}),
        ("$.card.month", {**GIVEN, "card": {"number": "4111", "month": MASK}}),
        ("card", {**GIVEN, "card": MASK}),
        ("card.*", {**GIVEN, "card": {"number": MASK, "month": MASK}}),
        ("lines.sku", {**GIVEN, "lines": [{"sku": MASK}, {"sku": MASK}]}),
        ("lines.*.sku", {**GIVEN, "lines": [{"sku": MASK}, {"sku": MASK}]}),
        ("lines.1.sku", {**GIVEN, "lines": [{"sku": "a"}, {"sku": MASK}]}),
        ("$", MASK),
    ],
)
def test_a_path_puts_dots_where_it_leads(path: str, shown: Any) -> None:
    assert masked(GIVEN, [path]) == shown


@pytest.mark.parametrize("path", ["card.holder", "lines.7.sku", "lines.x", "other", "n", "card.number.more"])
def test_a_path_that_leads_nowhere_leaves_the_very_value(path: str) -> None:
    assert masked(GIVEN, [path]) is GIVEN
