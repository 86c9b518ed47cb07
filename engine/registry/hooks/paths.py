"""Path patterns, and a table that finds the most specific one for a path in as many steps as the path has parts.

`/users/{id}` has a parameter, which is one part of a path and never empty; `/files/{rest...}` has a tail, which is all
that follows, or nothing. A slash at the end means nothing, neither in patterns nor in paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar
from urllib.parse import unquote

from engine.registry.hooks.unreadable import Unreadable

T = TypeVar("T")

LONGEST = 500
MOST_PARTS = 32
LONGEST_PATH = 2000
_PARAM = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\.\.\.)?\}")
_BARE = re.compile(r"[{}%?#\s\\\x00-\x1f\x7f]")
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PARAM_SHAPE, _TAIL_SHAPE = "{}", "{...}"


@dataclass(frozen=True)
class Pattern:
    """`text` is as it is written, without a slash at the end; `parts` are its words, `{}` and `{...}` for parameters.

    `shape` is alike for patterns that match the same paths; `params` are the names in their order.
    """

    text: str
    parts: tuple[str, ...]
    params: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read a pattern; Unreadable says what is wrong with it."""
        if not text.startswith("/"):
            raise Unreadable("must begin with a slash, as /orders/{id}")
        if len(text) > LONGEST:
            raise Unreadable(f"may have {LONGEST} letters, this one has {len(text)}")
        trimmed = text[1:].removesuffix("/")
        words = trimmed.split("/") if trimmed else []
        if len(words) > MOST_PARTS:
            raise Unreadable(f"may have {MOST_PARTS} parts, this one has {len(words)}")
        parts, params = [], []
        for place, word in enumerate(words):
            param = _PARAM.fullmatch(word)
            if param is None:
                parts.append(_literal(word))
                continue
            if param[1] in params:
                raise Unreadable(f"has the parameter `{param[1]}` twice")
            if param[2] and place != len(words) - 1:
                raise Unreadable(f"`{word}` takes all that follows, so it must be the last part")
            params.append(param[1])
            parts.append(_TAIL_SHAPE if param[2] else _PARAM_SHAPE)
        return cls("/" + "/".join(words), tuple(parts), tuple(params))

    @cached_property
    def shape(self) -> str:
        """The pattern without the names of its parameters."""
        return "/" + "/".join(self.parts)

    def match(self, path: str) -> Mapping[str, str] | None:
        """The parameters of a path as it is sent (percent-encoded), decoded; None when it does not match."""
        table: Paths[None] = Paths()
        table.add(self, None)
        found = next(table.matches(path), None)
        return None if found is None else found.params


def _literal(word: str) -> str:
    if not word:
        raise Unreadable("has an empty part: two slashes in a row")
    if word in (".", ".."):
        raise Unreadable(f"`{word}` can't be a part of a path")
    if found := _BARE.search(word):
        hint = "a parameter is a whole part: /users/{id}, /files/{rest...}" if found[0] in "{}" else ""
        hint = "write it as it reads, without %" if found[0] == "%" else hint
        raise Unreadable(f"`{word}` can't be a part of a path", hint=hint)
    return word


def split(path: str) -> list[str] | None:
    """The parts of a path as it is sent, each decoded by itself, so that `%2F` is no slash; None when nothing matches.

    Nothing matches what proxies and file systems read differently: `.` and `..`, however they are written, empty parts,
    broken percent-encoding, what is no UTF-8, and NUL.
    """
    if not path.startswith("/") or len(path) > LONGEST_PATH or _BROKEN.search(path):
        return None
    trimmed = path[1:].removesuffix("/")
    try:
        parts = [unquote(part, errors="strict") for part in trimmed.split("/")] if trimmed else []
    except UnicodeDecodeError:
        return None
    if "//" in path or any(part in ("", ".", "..") or "\0" in part for part in parts):
        return None
    return parts


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What a pattern stands for, and the parameters of the path."""

    value: T
    params: Mapping[str, str]


@dataclass(slots=True)
class _Node(Generic[T]):
    words: dict[str, _Node[T]] = field(default_factory=dict)
    param: _Node[T] | None = None
    tail: list[tuple[Pattern, T]] = field(default_factory=list)
    here: list[tuple[Pattern, T]] = field(default_factory=list)


class Paths(Generic[T]):
    """Patterns as a tree: a word comes before a parameter, that before a tail, part by part."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, pattern: Pattern, value: T) -> None:
        """Add a pattern; several may have one shape."""
        node = self._root
        for part in pattern.parts:
            if part == _TAIL_SHAPE:
                node.tail.append((pattern, value))
                return
            if part == _PARAM_SHAPE:
                node.param = node.param or _Node()
                node = node.param
            else:
                node = node.words.setdefault(part, _Node())
        node.here.append((pattern, value))

    def matches(self, path: str) -> Iterator[Found[T]]:
        """Everything that matches a path as it is sent, the most specific first."""
        parts = split(path)
        if parts is None:
            return
        for (pattern, value), taken in self._walk(self._root, parts, 0, ()):
            yield Found(value, dict(zip(pattern.params, taken, strict=True)))

    def _walk(
        self, node: _Node[T], parts: list[str], place: int, taken: tuple[str, ...]
    ) -> Iterator[tuple[tuple[Pattern, T], tuple[str, ...]]]:
        if place == len(parts):
            yield from ((each, taken) for each in node.here)
        else:
            if (word := node.words.get(parts[place])) is not None:
                yield from self._walk(word, parts, place + 1, taken)
            if node.param is not None:
                yield from self._walk(node.param, parts, place + 1, (*taken, parts[place]))
        for each in node.tail:
            yield each, (*taken, "/".join(parts[place:]))
