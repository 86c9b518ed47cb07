"""Where the coroutines of a run stand, for its page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from engine.hosts.temporal.wire.payloads import decode
from wippy_console.models import Run
from wippy_console.services.diagnosis import told_values
from wippy_console.services.diagnosis.asking import ask
from wippy_console.services.errors import Refused
from wippy_console.services.masking import MASK
from wippy_console.services.secrets import Hidden, hidden_of

WAITS = {
    "call": "the answer of",
    "exec": "the end of",
    "spawn": "the start of",
    "send": "a message to arrive at",
    "ask": "an answer about",
    "control": "the effect on",
    "timer": "a timer",
    "inbox": "a message in its inbox",
    "topic": "a message of topic",
    "events": "an event (cancel, exit)",
    "channel": "a channel",
}
"""What each kind of wait waits for, before its name."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One of a frame: name and value as a text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A call of user code: where it stands, and its variables; `around` are those of the functions around it."""

    entry: str
    line: int
    function: str
    variables: tuple[Variable, ...] = ()
    around: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """What a coroutine waits for, in words; times in ns since the epoch, None where nobody knows."""

    words: str
    name: str
    since: int | None
    deadline: int | None
    is_call: bool


@dataclass(frozen=True, slots=True)
class Coroutine:
    """One; `depth` counts its calls where not all are listed."""

    main: bool
    waits: tuple[Wait, ...]
    frames: tuple[Frame, ...]
    depth: int | None

    @property
    def place(self) -> tuple[object, ...]:
        """Equal for those that stand at the same lines and wait for the same kind of thing."""
        return tuple((each.entry, each.line) for each in self.frames), tuple(each.words for each in self.waits)


@dataclass(frozen=True, slots=True)
class Place:
    """Coroutines that stand at the same lines: some of them, and how many there are."""

    count: int
    coroutines: tuple[Coroutine, ...]


@dataclass(frozen=True, slots=True)
class Stacks:
    """The answer of a worker. `program` is the digest of what it runs; `cut` says that values are left out for size."""

    at: int
    program: str
    places: tuple[Place, ...]
    total: int
    cut: bool
    values_hidden: bool

    @property
    def unlisted(self) -> int:
        """How many coroutines stand at none of the places."""
        return max(0, self.total - sum(each.count for each in self.places))


def stacks(run: Run, user: Any) -> Stacks:
    """Ask the worker; Unavailable and Refused say in words why there is no answer."""
    told = decode(ask(run, "stacks"))
    if not isinstance(told, Mapping) or "coroutines" not in told:
        raise Refused("Its worker can't tell where the code stands.")
    masks = _hidden(run, user)
    return Stacks(
        at=told["at"],
        program=told["program"],
        places=tuple(_places(told["coroutines"], masks)),
        total=told["total"],
        cut=told["cut"],
        values_hidden=masks is None,
    )


def _hidden(run: Run, user: Any) -> Hidden | None:
    """What to hide; None, that is all values, when the history can't be read to know it."""
    try:
        return hidden_of(run, user)
    except Refused:
        return None


def _places(told: Iterable[Mapping[str, Any]], masks: Hidden | None) -> Iterator[Place]:
    pairs = [(each["alike"], _coroutine(each, masks)) for each in told]
    for _, group in groupby(pairs, key=lambda pair: (pair[0], pair[1].place)):
        found = list(group)
        yield Place(max(found[0][0], len(found)), tuple(each for _, each in found))


def _coroutine(told: Mapping[str, Any], masks: Hidden | None) -> Coroutine:
    waits = tuple(_wait(each) for each in told["waits"])
    frames = tuple(_frame(each, masks) for each in told["frames"])
    return Coroutine(told["main"], waits, frames, told.get("depth"))


def _wait(told: Mapping[str, Any]) -> Wait:
    sends = told["does"] in ("send", "select send")
    words = "somebody to receive on a channel" if sends else WAITS.get(told["kind"], told["kind"])
    name = told["name"] if isinstance(told["name"], str) else told["name"]["text"]
    return Wait(words, name, told.get("since"), told.get("deadline"), told["kind"] in ("call", "exec", "spawn"))


def _frame(told: Mapping[str, Any], masks: Hidden | None) -> Frame:
    function = told["function"] or f"function at line {told['from']}"
    found = [_variables(told.get(which), masks) for which in ("locals", "upvalues")]
    return Frame(told["entry"], told["line"], function, *found)


def _variables(told: Any, masks: Hidden | None) -> tuple[Variable, ...]:
    return tuple(Variable(each["name"], _value(each, masks)) for each in told or () if each is not None)


def _value(told: Mapping[str, Any], masks: Hidden | None) -> str:
    if masks is None or (masks.hides_name(told["name"]) and told["value"] is not None):
        return MASK
    return told_values.text(told["value"], masks)
