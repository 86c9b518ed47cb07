"""How parts of pages take what they asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wippy_console.env import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
ASKS_FOR_A_WHILE = re.compile(r"{% if(?:(?!{% endif %}|<).)*hx-get(?:(?!{% endif %}|<).)*hx-swap=\"morph")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_asks_no_more_still_takes_the_last_answer_in_its_place(path: Path) -> None:
    """The last request may be under way when the part learns that it is over: without `hx-swap` its answer would be put
    inside of the part, which would stand on the page twice."""
    assert not ASKS_FOR_A_WHILE.search(path.read_text())
