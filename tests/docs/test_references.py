"""Comments, docstrings and pages cite places that exist, in one form: `docs/lua.md#channel`."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.pages import citations, line_of, links, name_of, text_files, text_of

HERE = Path(__file__).parent
OUTSIDE = re.compile(
    r"\blua-api\b|\btyped-lua\b|\bseed-workflows\b|\b(?:design|pitfalls?|section) [0-9]|\(design\)|/work/|"
    r"(?<![\w/])(?:console|design|house|style)\.md\b"
)
"""How documents used to be cited that are not in the repository."""


def test_every_citation_leads_somewhere() -> None:
    wrong = [cited.wrong for path in _files() for cited in citations(path) if cited.wrong]
    assert not wrong, "\n".join(wrong)


def test_every_link_leads_somewhere() -> None:
    wrong = [link.wrong for path in _files() if path.suffix == ".md" for link in links(path) if link.wrong]
    assert not wrong, "\n".join(wrong)


def test_nothing_cites_what_is_not_in_the_repository() -> None:
    wrong = [
        f"{name_of(path)}:{line_of(text_of(path), match.start())}: {match[0]}: cite a place in docs/"
        for path in _files()
        for match in OUTSIDE.finditer(text_of(path))
    ]
    assert not wrong, "\n".join(wrong)


def _files() -> list[Path]:
    return [path for path in text_files() if HERE not in path.parents]
