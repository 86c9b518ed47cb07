"""The contract of what a unit asks of the world outside of its node: a request, a query, a Python function.

An operation is asked for as any other (`engine.steps.Ask`), is cancelled with its unit, bounded as every command in
flight, and listed while it runs. What a unit holds beyond one operation (an open transaction, a stream) is a *handle*:
a number in the unit, an object in its holdings, closed when the unit ends. All of it lives on the loop of the node.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from engine.steps import Value

Kind = TypeVar("Kind", bound="Closing")

MAX_HANDLES = 64
"""Open handles of one unit."""
CLOSING_SECONDS = 5.0
"""What one handle may take to close, and operations to end when their unit has."""
MAX_TEXT = 200


class Closing(Protocol):
    """Something that a unit holds."""

    async def close(self) -> None:
        """Roll back, let go; must not raise. After five seconds it is cancelled, and nobody waits for it any more."""
        ...


class Holdings(Protocol):
    """The handles of one unit; for coroutines on the node's loop."""

    def add(self, handle: Closing, text: str) -> int:
        """Keep it; the number by which the unit names it, which no other handle ever gets.

        `text` names it in logs, without values or secrets. UnitFailed, and the holdings close the handle, too:
        LimitExceeded when the unit holds 64, Canceled when the unit has ended meanwhile.
        """
        ...

    def get(self, number: Value, kind: type[Kind], what: str = "handle") -> Kind:
        """The open handle of that number and class; UnitFailed (Invalid, "<what> is closed") for any other value."""
        ...

    async def drop(self, number: Value) -> None:
        """Close it, also when whoever waits for that is cancelled; what is no open handle is ignored."""
        ...


class Cancelation(Protocol):
    """Whether a unit was asked to stop, for an operation that heeds it."""

    @property
    def reason(self) -> str | None:
        """Why the unit shall stop; None as long as nobody asked it to. From any thread."""
        ...

    async def wait(self) -> str:
        """Wait until it is asked to; the reason. On the node's loop."""
        ...


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: `entry` is its program's, `kind` function or process. One per operation; `holdings` are the unit's."""

    pid: str
    entry: str
    kind: str
    holdings: Holdings
    canceled: Cancelation


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that units ask for by name, beside whatever else they ask.

    `work` runs on the loop and raises UnitFailed; what blocks goes to threads of the module. Its task is cancelled when
    the unit is asked to stop or ends; with `heeds_cancel` only at the end, before it `asker.canceled` tells. It is
    cancelled once, so that it can clean up, and again when it goes on after five seconds; the unit waits no longer.
    `text` says what people read while it runs ("GET https://host/path"): no values, no secrets, 200 characters at most.
    """

    work: Callable[[Asker, tuple[Value, ...]], Awaitable[Value]]
    text: Callable[[tuple[Value, ...]], str]
    heeds_cancel: bool = False


class Outside(Protocol):
    """A module that reaches the world; its node closes it when all units have ended."""

    def operations(self) -> Mapping[str, Operation]:
        """Every operation by name."""
        ...

    async def close(self) -> None:
        """Let go of pools, threads and connections: two seconds are left for it."""
        ...
