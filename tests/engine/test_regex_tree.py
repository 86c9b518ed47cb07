"""What engine/bounded/regex_tree.py relies on in `re`: whatever a new Python parses differently fails here."""

from __future__ import annotations

import re
from re import _constants as ops  # type: ignore[attr-defined, unused-ignore]

import pytest

from engine.bounded import regex_tree
from engine.bounded.errors import TooCostlyError
from engine.bounded.patterns import is_simple, search
from engine.bounded.regex_tree import NEWLINE, Category, Char, Choice, Group, Node, OneOf, Opaque, Place, Repeat, parse

A, B = (OneOf((Char(ord(char), ord(char)),)) for char in "ab")
CHANGED = "this Python parses patterns differently: see engine/bounded/regex_tree.py"
TREES: dict[str, tuple[Node, ...]] = {
    "ab": (A, B),
    "[^a]": (OneOf((Char(97, 97),), negated=True),),
    ".": (OneOf((NEWLINE,), negated=True),),
    r"[a-f\d_]": (OneOf((Char(97, 102), Category(r"\d"), Char(95, 95))),),
    r"[^\s]": (OneOf((Category(r"\s"),), negated=True),),
    r"\d\D\s\S\w\W": tuple(OneOf((Category(name),)) for name in (r"\d", r"\D", r"\s", r"\S", r"\w", r"\W")),
    "^a$": (Place("start"), A, Place("end")),
    r"\Aa\Z": (Place("start"), A, Place("very end")),
    r"\b\B": (Place("boundary"), Place("no boundary")),
    "a*": (Repeat(0, None, (A,)),),
    "a+?": (Repeat(1, None, (A,)),),
    "a?": (Repeat(0, 1, (A,)),),
    "a{2,3}": (Repeat(2, 3, (A,)),),
    "a++": (Repeat(1, None, (A,), possessive=True),),
    "a|b": (OneOf((Char(97, 97), Char(98, 98))),),
    "ab|ba": (Choice(((A, B), (B, A))),),
    "(a)(?:b)(?P<n>a)": (Group((A,)), B, Group((A,))),
    "(?=a)": (Opaque(((A,),)),),
    "(?<!a)": (Opaque(((A,),)),),
    "(?>a)": (Opaque(((A,),)),),
    "(?i:a)": (Opaque(((A,),)),),
    r"(a)\1": (Group((A,)), Opaque((), 1)),
    "(a)(?(1)b|a)": (Group((A,)), Opaque(((B,), (A,)), 1)),
}


@pytest.mark.parametrize("pattern", TREES)
def test_each_construct_is_read(pattern: str) -> None:
    assert parse(pattern).nodes == TREES[pattern], CHANGED


@pytest.mark.parametrize("flag", "imsxa")
def test_flags_of_a_whole_pattern_are_seen(flag: str) -> None:
    assert parse(f"(?{flag})a").flagged, CHANGED
    assert not parse("a").flagged, CHANGED


def test_every_construct_of_this_python_is_known() -> None:
    """Of the codes, those that the parser gives; the others are made of them by the compiler."""
    parsed = {
        "ANY", "ASSERT", "ASSERT_NOT", "AT", "ATOMIC_GROUP", "BRANCH", "CATEGORY", "FAILURE", "GROUPREF",
        "GROUPREF_EXISTS", "IN", "LITERAL", "MAX_REPEAT", "MIN_REPEAT", "NEGATE", "NOT_LITERAL", "POSSESSIVE_REPEAT",
        "RANGE", "SUBPATTERN",
    }  # fmt: skip
    compiled = {
        "SUCCESS", "ANY_ALL", "CHARSET", "BIGCHARSET", "INFO", "JUMP", "MARK", "MAX_UNTIL", "MIN_UNTIL", "REPEAT",
        "REPEAT_ONE", "MIN_REPEAT_ONE", "POSSESSIVE_REPEAT_ONE",
    }  # fmt: skip
    codes = {str(code) for code in (*ops.OPCODES, ops.MAX_REPEAT, ops.MIN_REPEAT)}
    assert {code for code in codes if not code.endswith("_IGNORE")} == parsed | compiled, CHANGED


def test_a_construct_that_is_not_known_is_refused_where_it_could_be_dear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(regex_tree._OPAQUE, ops.ASSERT)
    pattern = "(?=unknown)a"  # of no other test: trees are cached
    assert not is_simple(pattern)
    with pytest.raises(TooCostlyError):
        search(pattern, "ab")


def test_what_is_no_pattern_is_an_error() -> None:
    with pytest.raises(re.error):
        parse("(")
