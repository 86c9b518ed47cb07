"""Patterns of JSON Schemas: the same answers as Python's matcher, in bounded time."""

from __future__ import annotations

import re

import pytest

from engine.bounded import patterns
from engine.bounded.automaton import Search, automaton
from engine.bounded.errors import TooCostlyError

PATTERNS = [
    "^a", "a$", "b", "^$", r"^\d{3}-\d{4}$", "^[a-z0-9]+(?:-[a-z0-9]+)*$", r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "(a|b)*c",
    "^(a?){3}b", r"\bab\b", r"a\B", "^(?:ab|a)(?:c|bcd)$", "x{2,}", "(ab){1,2}$", r"\Aa.b\Z", "[^a]b", r"[\s\d]$",
    "(a+)+b",
]  # fmt: skip
TEXTS = ["", "a", "b", "ab", "abc", "abcd", "a-b", "a--b", "123-4567", "a@b.c", "a@b", "xx"]
TEXTS += ["a\n", "a b", "aab", "ab ab", "a1"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_ways_of_matching_agree_with_python(pattern: str) -> None:
    for text in TEXTS:
        wanted = re.search(pattern, text) is not None
        assert patterns.search(pattern, text) == wanted, text
        assert Search(automaton(pattern), text, lambda _: None).found() == wanted, text


@pytest.mark.parametrize("pattern", ["^(a+)+$", r"^(\w+\s?)*$", "^(a|aa)+$", "^(a?){30}a{30}$", ".*.*.*.*b"])
def test_what_would_take_python_for_ever_is_answered(pattern: str) -> None:
    assert patterns.search(pattern, "a" * 200 + "!") is False


@pytest.mark.parametrize("pattern", [r"^(a+)+\1$", "^(?=(a+)+$)b", "(?i)^(a+)+$", "((a{1,900}){1,900})+", "(?>(a+)+$)"])
def test_what_can_be_neither_matched_nor_bounded_is_refused(pattern: str) -> None:
    with pytest.raises(TooCostlyError):
        patterns.search(pattern, "a" * 50 + "!")


def test_a_text_too_long_for_its_pattern_is_refused() -> None:
    with pytest.raises(TooCostlyError):
        patterns.search("^(a+)+$", "a" * 1_000_000)


def test_a_short_text_may_have_any_pattern_that_repeats_nothing_within_a_repetition() -> None:
    assert patterns.search(r"(?i)^(a)\1", "aA") is True


@pytest.mark.parametrize("pattern", ["(" * 5000 + ")" * 5000, "a{99999999999999999999}", "x" * 1_000_000])
def test_a_pattern_too_deep_or_too_long_to_be_read_is_refused_and_not_simple(pattern: str) -> None:
    with pytest.raises(TooCostlyError):
        patterns.search(pattern, "a")
    assert not patterns.is_simple(pattern)
