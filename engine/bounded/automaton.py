"""Matching by following all ways of a pattern at once, in time linear in the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

from engine.bounded.errors import TooCostlyError
from engine.bounded.regex_tree import Char, Choice, Group, Node, Nodes, OneOf, Opaque, Place, Repeat, parse

MAX_STATES = 2_000
MAX_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class _State:
    """What a state asks for, None for nothing, and where to go on."""

    asks: OneOf | Place | None
    following: list[int]


@lru_cache(maxsize=64)
def automaton(pattern: str) -> Automaton:
    """The automaton of a pattern; raises TooCostlyError for one that can't be followed, and what `parse` does."""
    return Automaton(pattern)


class Automaton:
    """A pattern as states; state 0 is the end."""

    def __init__(self, pattern: str) -> None:
        tree = parse(pattern)
        if tree.flagged:
            raise TooCostlyError("a pattern with flags could take too long")
        self.states: list[_State] = [_State(None, [])]
        self.start = self._sequence(tree.nodes, 0)

    def _add(self, asks: OneOf | Place | None, *following: int) -> int:
        if len(self.states) >= MAX_STATES:
            raise TooCostlyError("a pattern with so large repetitions could take too long")
        self.states.append(_State(asks, list(following)))
        return len(self.states) - 1

    def _sequence(self, nodes: Nodes, then: int) -> int:
        for node in reversed(nodes):
            then = self._node(node, then)
        return then

    def _node(self, node: Node, then: int) -> int:
        match node:
            case OneOf() | Place():
                return self._add(node, then)
            case Choice(ways):
                return self._add(None, *[self._sequence(way, then) for way in ways])
            case Group(body):
                return self._sequence(body, then)
            case Repeat(possessive=False):
                return self._repeat(node, then)
            case Repeat() | Opaque():
                raise TooCostlyError("a pattern that refers back or looks around could take too long")
            case _:
                assert_never(node)

    def _repeat(self, node: Repeat, then: int) -> int:
        if node.high is None:
            then = self._add(None, then)
            self.states[then].following.append(self._sequence(node.body, then))
        else:
            end = then
            for _ in range(min(node.high - node.low, MAX_STATES)):
                then = self._add(None, end, self._sequence(node.body, then))
        for _ in range(min(node.low, MAX_STATES)):
            then = self._add(None, self._sequence(node.body, then))
        return then


class Search:
    """One search by one automaton; `spend` is called with the work, in units of some microseconds."""

    def __init__(self, machine: Automaton, text: str, spend: Callable[[int], None]) -> None:
        self._spend = spend
        self._states = machine.states
        self._start = machine.start
        self._text = text
        self._steps = 0

    def found(self) -> bool:
        """Whether some way leads to the end."""
        reached: set[int] = set()
        for at in range(len(self._text) + 1):
            here = self._closure([self._start, *reached], at)
            if 0 in here:
                return True
            if at < len(self._text):
                reached = self._after(here, self._text[at])
        return False

    def _closure(self, stack: list[int], at: int) -> set[int]:
        """The states that can be reached without taking a character."""
        seen: set[int] = set()
        while stack:
            number = stack.pop()
            if number in seen:
                continue
            seen.add(number)
            self._count()
            state = self._states[number]
            asks = state.asks
            if asks is None or (isinstance(asks, Place) and _holds(asks, self._text, at)):
                stack += state.following
        return seen

    def _after(self, here: set[int], char: str) -> set[int]:
        reached: set[int] = set()
        for number in here:
            state = self._states[number]
            if isinstance(state.asks, OneOf) and _takes(state.asks, char):
                reached.update(state.following)
        return reached

    def _count(self) -> None:
        self._steps += 1
        if self._steps % 10 == 0:
            self._spend(1)
        if self._steps > MAX_STEPS:
            raise TooCostlyError("the text is too long for its pattern")


def _holds(place: Place, text: str, at: int) -> bool:
    match place.name:
        case "start":
            return at == 0
        case "very end":
            return at == len(text)
        case "end":
            return at == len(text) or (at == len(text) - 1 and text[at] == "\n")
        case "boundary" | "no boundary":
            boundary = _is_word(text[at - 1 : at] if at else "") != _is_word(text[at : at + 1])
            return boundary == (place.name == "boundary")


def _is_word(char: str) -> bool:
    return bool(char) and (char.isalnum() or char == "_")


def _takes(one: OneOf, char: str) -> bool:
    code = ord(char)
    for member in one.members:
        if isinstance(member, Char):
            if member.low <= code <= member.high:
                return not one.negated
        elif re.match(member.name, char):
            return not one.negated
    return one.negated
