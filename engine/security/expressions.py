"""Expressions of `security.policy.expr`: a small language of comparisons, parsed by hand and never compiled.

    (actor.meta.role == "editor" && action in ["read", "write"]) || !(meta.owner != actor.id)

Loosest first: `||` or; `&&` and; `!` not; `== != < <= > >= in, not in, contains, startsWith, endsWith, matches`.
Operands are fields as conditions have them, text in any quotes, numbers, true, false, nil, lists and parentheses.
Missing fields behave as in conditions; only `== nil` and `!= nil` ask for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.security.conditions import FIELD, FIELDS, OPERATORS, BadPolicyError, Request

MAX_LENGTH = 4000
MAX_DEPTH = 50

Node = Callable[[Request], Any]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?)"""
    r"""|(?P<word>[A-Za-z_]\w*(?:\.\w+)*)|(?P<sign>\|\||&&|[=!<>]=|[!<>()\[\],]))"""
)
_WORDS = {"or": "||", "and": "&&", "not": "!"}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": OPERATORS["eq"],
    "!=": OPERATORS["ne"],
    "<": OPERATORS["lt"],
    "<=": OPERATORS["lte"],
    ">": OPERATORS["gt"],
    ">=": OPERATORS["gte"],
    "in": OPERATORS["in"],
    "contains": OPERATORS["contains"],
    "matches": OPERATORS["matches"],
    "startsWith": lambda a, b: isinstance(a, str) and isinstance(b, str) and a.startswith(b),
    "endsWith": lambda a, b: isinstance(a, str) and isinstance(b, str) and a.endswith(b),
}
_CONSTANTS = {"true": True, "false": False, "nil": None}


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression."""

    node: Node

    @classmethod
    def read(cls, text: Any, path: str) -> Expression:
        """The expression that a text is; raises BadPolicyError."""
        if not isinstance(text, str) or len(text) > MAX_LENGTH:
            raise BadPolicyError(f"must be text of at most {MAX_LENGTH} letters", path)
        return cls(_Parser(text, path).whole())

    def holds(self, request: Request) -> bool:
        """Whether it is true; raises TooCostlyError or re.error for a pattern that can't be looked for."""
        return self.node(request) is True


class _Parser:
    """Recursive descent; each method reads what it is named for and returns its node."""

    def __init__(self, text: str, path: str) -> None:
        self._path = path
        self._tokens = self._split(text.rstrip())
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        """All of the text."""
        node = self._either()
        if self._peek() is not None:
            raise self._wrong()
        return node

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise BadPolicyError(f"can't be read at letter {at + 1}", self._path)
            word = match[match.lastgroup]
            tokens.append(("sign", _WORDS[word]) if word in _WORDS else (match.lastgroup, word))
            at = match.end()
        return tokens

    def _peek(self) -> str | None:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def _wrong(self) -> BadPolicyError:
        found = self._peek()
        return BadPolicyError("ends too early" if found is None else f"has `{found}` where it can't stand", self._path)

    def _take(self, wanted: str) -> bool:
        """Whether the next token is that sign or word, which then is passed."""
        kind = self._tokens[self._at][0] if self._at < len(self._tokens) else "text"
        if kind not in ("sign", "word") or self._peek() != wanted:
            return False
        self._at += 1
        return True

    def _want(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self._wrong()

    def _either(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadPolicyError("is nested too deeply", self._path)
        parts = [self._both()]
        while self._take("||"):
            parts.append(self._both())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else lambda request: any(part(request) is True for part in parts)

    def _both(self) -> Node:
        parts = [self._negated()]
        while self._take("&&"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else lambda request: all(part(request) is True for part in parts)

    def _negated(self) -> Node:
        negative = False
        while self._take("!"):
            negative = not negative
        node = self._comparison()
        return (lambda request: node(request) is not True) if negative else node

    def _comparison(self) -> Node:
        left = self._operand()
        if self._take("!"):
            self._want("in")
            inside = self._compared(left, "in")
            return lambda request: not inside(request)
        for name in _COMPARISONS:
            if self._take(name):
                return self._compared(left, name)
        return left

    def _compared(self, left: Node, name: str) -> Node:
        if name in ("==", "!=") and self._take("nil"):
            return lambda request: (left(request) is None) == (name == "==")
        right, test = self._operand(), _COMPARISONS[name]
        return lambda request: test(left(request), right(request))

    def _operand(self) -> Node:
        if self._take("("):
            node = self._either()
            self._want(")")
            return node
        if self._take("["):
            return self._list()
        if self._at == len(self._tokens) or self._tokens[self._at][0] == "sign":
            raise self._wrong()
        kind, word = self._tokens[self._at]
        if kind == "word" and word not in _CONSTANTS and not FIELD.fullmatch(word):
            raise BadPolicyError(f"has `{word}`, which is no field: {FIELDS}", self._path)
        self._at += 1
        return _node(kind, word)

    def _list(self) -> Node:
        items: list[Node] = []
        while not self._take("]"):
            if items:
                self._want(",")
            items.append(self._operand())
        return lambda request: [item(request) for item in items]


def _node(kind: str, word: str) -> Node:
    if kind == "word" and word not in _CONSTANTS:
        return lambda request: request.field(word)
    value = _CONSTANTS[word] if kind == "word" else _literal(kind, word)
    return lambda request: value


def _literal(kind: str, word: str) -> Any:
    if kind == "number":
        return json.loads(word)
    return word[1:-1] if word[0] == "`" else re.sub(r"\\(.)", _escaped, word[1:-1])


def _escaped(match: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}.get(match[1], match[1])
