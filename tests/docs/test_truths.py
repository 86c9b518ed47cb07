"""docs/truths.md names a test for each truth, and each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/truths.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TEXT)


def test_there_are_twelve_truths_and_each_row_names_a_test() -> None:
    rows = [row for row in TEXT.splitlines() if row.startswith("| ") and not row.startswith(("| #", "| what"))]
    assert [row.split("|")[1].strip() for row in rows[:12]] == [str(number) for number in range(1, 13)]
    assert not [row for row in rows if "::test_" not in row]


def test_every_named_test_is_there() -> None:
    missing = [
        f"{file}::{name}"
        for file, name in NAMED
        if not re.search(rf"^(?:async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)
    ]
    assert len(NAMED) > 30 and not missing, missing
