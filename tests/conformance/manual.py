"""docs/lua.md as data: what it documents, and its examples, and those of docs/questions.md, as cases.

A module has a section "## `name`"; each "### " heading in it documents the names that stand there in backticks
(`json.encode(value)`, `Time:add(d)`), with a text and an example. Fences: "lua" runs in a function; "lua process",
"lua workflow" say where else, or where instead; "lua fragment" shows something that can't run by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from tests.conformance.parsing import UNITS, Case, Topic

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "lua.md"
FILE = "docs/lua.md"
WITH_EXAMPLES = (PAGE, DOCS / "questions.md")

_MODULE = re.compile(r"## (?:`([\w.]+)`|(Globals))")
_NAME = re.compile(r"`([A-Za-z_]\w*(?:\.\w+)*(?::\w+)?)[^`]*`")
_REQUIRED = re.compile(r"""require\(["'](\w+)["']\)""")
_WHOLE = re.compile(r"(?m)^return (\{|main\b)")
ALWAYS = frozenset(("process", "channel", "payload", "errors"))


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code; `line` is that of its first line."""

    language: str
    words: tuple[str, ...]
    text: str
    line: int
    page: str = PAGE.name


@dataclass(frozen=True, slots=True)
class Part:
    """What stands under one "### " heading of a module's section."""

    module: str
    heading: str
    line: int
    names: tuple[str, ...]
    fences: tuple[Fence, ...]


@cache
def parts() -> tuple[Part, ...]:
    """Every documented part, in the order of the page."""
    return tuple(_parts(PAGE.read_text("utf-8").splitlines()))


@cache
def fences() -> tuple[Fence, ...]:
    """Every block of code of the pages."""
    found = ((page, fence) for page in WITH_EXAMPLES for fence in _fences(page.read_text("utf-8").splitlines(), 1))
    return tuple(replace(fence, page=page.name) for page, fence in found)


def examples() -> list[Case]:
    """The examples that run, as cases; their lines are those of their pages."""
    return [_example(fence) for fence in fences() if fence.language == "lua" and "fragment" not in fence.words]


def _parts(lines: list[str]) -> Iterator[Part]:
    module = ""
    ends = [number for number, line in enumerate(lines) if line.startswith(("## ", "### "))] + [len(lines)]
    for began, end in pairwise(ends):
        if match := _MODULE.fullmatch(lines[began]):
            module = match[1] or match[2]
        elif lines[began].startswith("## "):
            module = ""
        elif module:
            names = tuple(_NAME.findall(lines[began]))
            yield Part(module, lines[began], began + 1, names, tuple(_fences(lines[began:end], began + 1)))


def _fences(lines: list[str], first: int) -> Iterator[Fence]:
    opened: int | None = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if opened is None:
            opened = number
        else:
            language, *words = lines[opened].removeprefix("```").split() or [""]
            text = "\n".join(lines[opened + 1 : number])
            yield Fence(language, tuple(words), text, first + opened + 1)
            opened = None


def _example(fence: Fence) -> Case:
    text = fence.text
    if not _WHOLE.search(text):
        text = f"return {{ main = function(...) {text}\nend }}"
    file = f"docs/{fence.page}"
    name = f"{fence.page.removesuffix('.md')}_{fence.line}"
    topic = Topic(f"manual_{name}", 0, "", file, "\n" * (fence.line - 1) + text, file)
    modules = tuple(sorted(set(_REQUIRED.findall(text)) - ALWAYS))
    return Case(topic, "main", f"the example in line {fence.line}", _units(fence.words), modules, fence.line)


def _units(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(unit for unit in UNITS if unit in words) or ("function",)
