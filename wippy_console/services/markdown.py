"""Markdown of authors, to HTML that can do nothing: no scripts, styles, pictures or forms."""

from __future__ import annotations

import re
from functools import cache

import nh3
from markdown_it import MarkdownIt

LONGEST = 20_000
_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_LOWER = {"h1": "h3", "h2": "h4"}
_CODE_OR_ESCAPED = re.compile(r"(`[^`\n]*`)|\\([!-/:-@\[-`{-~])")
_SCHEMES = {"http", "https", "mailto"}


def to_html(text: str) -> str:
    """The text as sanitised HTML; headings begin at the third level, and what is behind `LONGEST` is left out."""
    found = _reader().render(text[:LONGEST])
    for given, lower in _LOWER.items():
        found = found.replace(f"<{given}>", f"<{lower}>").replace(f"</{given}>", f"</{lower}>")
    return nh3.clean(found, tags=_TAGS, attributes={"a": {"href", "title"}}, url_schemes=_SCHEMES)


def to_text(text: str) -> str:
    """The text where nothing formats it, as in a mail: without the backslashes that keep marks from doing so."""
    return _CODE_OR_ESCAPED.sub(lambda found: found[1] or found[2], text)


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
