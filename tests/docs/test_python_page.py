"""docs/python.md: its entries are valid, its Python defines what it shows, and all it names of the sdk is there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from engine.registry import tree
from tests.docs.pages import ROOT, text_of
from wippy_console import sdk
from wippy_console.services.python_functions import of_code

PAGE = text_of(ROOT / "docs" / "python.md")
CODE = re.findall(r"(?ms)^```python\n(.*?)^```", PAGE)
ENTRIES = re.findall(r"(?ms)^```yaml\n(.*?)^```", PAGE)


@pytest.mark.parametrize("number", range(len(CODE)))
def test_python_of_the_page_runs(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_code, "_declared", {})
    found: dict[str, Any] = {"__name__": "shop.page"}
    exec(compile(CODE[number], f"docs/python.md block {number + 1}", "exec"), found)
    assert len(found) > 2


def test_entries_of_the_page_are_read() -> None:
    assert ENTRIES
    for text in ENTRIES:
        indented = "".join(f"  {line}\n" for line in text.splitlines())
        found = tree.parse({"_index.yaml": f'version: "1.0"\nnamespace: shop\nentries:\n{indented}'})
        assert not found.problems and found.entries


def test_what_it_names_of_the_sdk_is_there() -> None:
    named = set(re.findall(r"\bsdk\.([A-Za-z]\w*)", PAGE)) - {"testing"}
    assert named > {"start", "signal", "result", "function", "Context"}
    assert not {name for name in named if not hasattr(sdk, name)}
