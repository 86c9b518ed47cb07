"""Tokens of typed Lua, as far as erasing types needs them: no token is ever refused."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum

KEYWORDS = frozenset(
    (
        "and",
        "break",
        "do",
        "else",
        "elseif",
        "end",
        "false",
        "for",
        "function",
        "goto",
        "if",
        "in",
        "local",
        "nil",
        "not",
        "or",
        "repeat",
        "return",
        "then",
        "true",
        "until",
        "while",
    )
)


class Kind(Enum):
    """What a token is; ODD is text that no Lua token begins with (or a string that does not end)."""

    NAME = "name"
    KEYWORD = "keyword"
    NUMBER = "number"
    STRING = "string"
    OPERATOR = "operator"
    ODD = "odd"
    END = "end of source"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `start` and `end` are offsets into the source."""

    kind: Kind
    text: str
    start: int
    end: int

    def is_(self, *texts: str) -> bool:
        """Whether it is one of these operators or keywords."""
        return self.text in texts and self.kind in (Kind.OPERATOR, Kind.KEYWORD)


# Possessive quantifiers: nothing here can backtrack, so lexing is linear. `>` and `?` always stand alone, because
# `>>` and `>=` may close generics and `?:` marks an optional field; Lua's own reading of them does not matter here.
_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f\v]++)
  | (?P<long>(?:--)?\[(?P<level>=*+)\[)
  | (?P<comment>--[^\r\n]*+)
  | (?P<string>"(?:[^"\\\r\n]++|\\z\s*+|\\\r\n|\\(?s:.))*+"|'(?:[^'\\\r\n]++|\\z\s*+|\\\r\n|\\(?s:.))*+')
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*+)
  | (?P<number>0[xX](?:[pP][+-]|[0-9A-Za-z_.])*+|\.?[0-9](?:[eE][+-]|[0-9A-Za-z_.])*+)
  | (?P<operator>\.\.\.|\.\.|::|->|==|~=|[-+*/%^\#&~|<>=(){}\[\];:,.?!@])
  | (?P<odd>["'][^\r\n]*+|(?s:.))
    """,
    re.VERBOSE,
)


def tokenize(source: str) -> list[Token]:
    """All tokens but white space and comments, then one of kind END."""
    tokens: list[Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        assert match is not None  # the last alternative takes any character
        at = match.end()
        if match.lastgroup in ("space", "comment"):
            continue
        if match["long"] is not None:
            at = _long_end(source, at, match["level"])
            if not match["long"].startswith("-"):
                tokens.append(Token(Kind.STRING, source[match.start() : at], match.start(), at))
            continue
        tokens.append(Token(_kind(match), match[0], match.start(), at))
    tokens.append(Token(Kind.END, "", len(source), len(source)))
    return tokens


def _long_end(source: str, at: int, level: str) -> int:
    close = f"]{level}]"
    found = source.find(close, at)
    return len(source) if found < 0 else found + len(close)


def _kind(match: re.Match[str]) -> Kind:
    kind = Kind(match.lastgroup)
    return Kind.KEYWORD if kind is Kind.NAME and match[0] in KEYWORDS else kind


class Lines:
    """Line numbers of offsets."""

    def __init__(self, source: str) -> None:
        self._starts = [match.end() for match in re.finditer("\n", source)]

    def line(self, offset: int) -> int:
        """The 1-based line that holds `offset`."""
        return bisect_right(self._starts, offset) + 1
