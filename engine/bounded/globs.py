"""Globs: patterns in which `*` stands for any text."""

from __future__ import annotations


def glob(pattern: str, text: str) -> bool:
    """Whether the whole text is the pattern, in which each `*` stands for any text. Linear in the text."""
    first, *others = pattern.split("*")
    if not others:
        return pattern == text
    *middle, last = others
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
