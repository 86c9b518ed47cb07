"""`python -m tests.conformance.table` writes docs/conformance.md from the case files and `sections.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from tests.conformance.parsing import UNITS, Case, cases
from tests.conformance.sections import PYTHON, SECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
HEAD = """\
# Conformance

What Lua code is promised ([docs/lua.md](lua.md) in other words), and the test of each promise. One suite runs the same
Lua in a function (F), a process (P) and a workflow (W): functions and processes on a node, workflows on a real Temporal
server, where the functions are activities. `python -m tests.conformance.table` writes this page.
"""


def page() -> str:
    """The whole page."""
    by_section = {number: list(found) for number, found in groupby(cases(), key=lambda case: case.topic.section)}
    parts = [HEAD, *(_section(number, by_section.get(number, [])) for number in SECTIONS)]
    return "\n".join(parts)


def _section(number: int, found: list[Case]) -> str:
    lines = [f"## {number}. {SECTIONS[number]}", ""]
    for topic, group in groupby(found, key=lambda case: case.topic):
        lines += [f"### {topic.part} {topic.title}", "", f"`{topic.file}`", ""]
        lines += ["| promise | in | case |", "|---|---|---|", *_rows(group), ""]
    if modules := PYTHON.get(number):
        lines += ["| tested in Python | |", "|---|---|"]
        lines += [f"| {what} | `{path}` |" for path, what in modules.items()]
        lines.append("")
    return "\n".join(lines)


def _rows(found: Iterable[Case]) -> Iterator[str]:
    for case in found:
        units = " ".join(unit[0].upper() for unit in UNITS if unit in case.units)
        yield f"| {case.behaviour.replace('|', chr(92) + '|')} | {units} | `{case.name}` |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
