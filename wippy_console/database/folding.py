"""Texts as they are searched: without the differences that nobody means."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """The text in one form for all its cases, widths and compositions: Straße is strasse, a ligature its letters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
