"""Entries of a folder or of a test, as `manage.py apply` would read them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.entry import Entry
from engine.registry import tree
from engine.registry.problems import errors_in
from wippy_console.management.disk import Folder


def read(*sources: str | Path | Entry) -> list[Entry]:
    """Those of all folders and entries; AssertionError with every problem, by file and line."""
    found: list[Entry] = []
    for source in sources:
        found += [source] if isinstance(source, Entry) else _of_folder(Path(source))
    return found


def _of_folder(folder: Path) -> Iterable[Entry]:
    parsed = tree.parse(Folder(folder))
    wrong = errors_in(parsed.problems)
    assert not wrong, "\n".join(map(str, wrong))
    return parsed.entries.values()
