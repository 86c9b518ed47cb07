"""The text files of the project, and Markdown pages as data: their prose, anchors, links and citations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
HISTORY = "CHANGELOG.md"
"""Tells of what was, under the names of then."""

_SUFFIXES = frozenset([".py", ".lua", ".md", ".html", ".js", ".mjs", ".css", ".toml", ".sh", ".yaml", ".yml"])
_FOREIGN = frozenset(("var", "node_modules", "vendor", "__pycache__"))
_FENCE = re.compile(r"(?ms)^```.*?^```\n")
_HEADING = re.compile(r"(?m)^#+ +(.+?)\s*$")
_ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
_LINK = re.compile(r"\]\((?!\w+:)([^)\s]+)\)")
_CITATION = re.compile(r"(?<![\w./\"'-])(?:[\w-]+/)*[\w-]+\.md\b(?:#[\w-]+)?")


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that names a page, or a place in one; `file` is the page that is meant."""

    source: str
    line: int
    text: str
    file: Path
    anchor: str

    @property
    def wrong(self) -> str:
        """Why it leads nowhere, or ""."""
        where = f"{self.source}:{self.line}: {self.text}"
        if not self.file.exists():
            return f"{where}: there is no such file; cite whole paths from the root of the project"
        if self.anchor and self.anchor not in anchors(self.file):
            return f"{where}: {self.file.name} has no such heading and no such <a id>"
        return ""


@cache
def text_files() -> tuple[Path, ...]:
    """Everything that people wrote, but for what is vendored."""
    return tuple(sorted(path for path in _walk(ROOT) if path.suffix in _SUFFIXES or path.name == "Makefile"))


def pages() -> list[Path]:
    """The pages of the docs that say what is."""
    return [path for path in text_files() if path.suffix == ".md" and _is_page(path) and path.name != HISTORY]


def name_of(path: Path) -> str:
    """From the root of the project."""
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    """The whole text."""
    return path.read_text("utf-8")


@cache
def anchors(page: Path) -> frozenset[str]:
    """What a link may name: headings by GitHub's rule, and explicit ids."""
    prose = _FENCE.sub("", text_of(page))
    seen: Counter[str] = Counter()
    found = set(_ANCHOR.findall(prose))
    for heading in _HEADING.findall(prose):
        slug = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


def links(page: Path) -> Iterator[Reference]:
    """The relative links of a page."""
    for match in _LINK.finditer(text_of(page)):
        path, _, anchor = match[1].partition("#")
        yield _reference(page, match, page.parent / path if path else page, anchor)


def citations(path: Path) -> Iterator[Reference]:
    """The pages that a file names by their paths; what links name is relative, and no citation."""
    text = text_of(path)
    linked = [match.span() for match in _LINK.finditer(text)]
    for match in _CITATION.finditer(text):
        if not any(begin <= match.start() < end for begin, end in linked):
            name, _, anchor = match[0].partition("#")
            yield _reference(path, match, ROOT / name, anchor)


def line_of(text: str, position: int) -> int:
    """The line of a position, from 1."""
    return text.count("\n", 0, position) + 1


def _reference(source: Path, match: re.Match[str], file: Path, anchor: str) -> Reference:
    return Reference(name_of(source), line_of(match.string, match.start()), match[0], file, anchor)


def _is_page(path: Path) -> bool:
    return path.parent in (ROOT, ROOT / "docs")


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in _FOREIGN:
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path
