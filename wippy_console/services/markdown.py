"""Markdown of authors, to HTML that can do nothing: no scripts, styles, pictures or forms."""

from __future__ import annotations

from functools import cache

import nh3
from markdown_it import MarkdownIt

LONGEST = 20_000
_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_LOWER = {"h1": "h3", "h2": "h4"}
_SCHEMES = {"http", "https", "mailto"}


def to_html(text: str) -> str:
    """The text as sanitised HTML; headings begin at the third level, and what is behind `LONGEST` is left out."""
    found = _reader().render(text[:LONGEST])
    for given, lower in _LOWER.items():
        found = found.replace(f"<{given}>", f"<{lower}>").replace(f"</{given}>", f"</{lower}>")
    return nh3.clean(found, tags=_TAGS, attributes={"a": {"href", "title"}}, url_schemes=_SCHEMES)


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
