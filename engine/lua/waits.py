"""What a unit waits for, kept by what each step changes: to know it costs the same whatever the unit holds."""

from __future__ import annotations

import json
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, assert_never

from engine.lua.marshal import text_of
from engine.steps import (
    Ask,
    Call,
    CancelCall,
    CancelTimer,
    Command,
    Control,
    Event,
    Exec,
    Log,
    Rejected,
    Resolved,
    Send,
    Spawn,
    StartTimer,
    Value,
    Wait,
    Waits,
)

MOST_DEADLINE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Heard:
    """What the kernel says of channels, each {number, kind, name, taken, joined}, or {number} where no task waits.

    Kernel 1 says 0 for `joined`. A sixth item is the JSON of what is asked there, from then on. {number, "closed"} is
    told of a channel for which one was and that is over for good.
    """

    changes: Sequence[Sequence[Any]]


class WaitBook:
    """The waits of one unit: commands and timers by seq, channels by their number."""

    def __init__(self) -> None:
        self._mailboxes: dict[int, Wait] = {}
        self._topics: dict[int, Wait] = {}
        self._asks: dict[int, Mapping[str, Value]] = {}  # by channel; they stay while nobody waits
        self._commands: dict[int, tuple[str, str]] = {}  # kind and name: a Wait is made of those that are listed
        self._since: dict[int, int] = {}  # by seq: when the command was issued
        self._heard: dict[int, int] = {}  # by channel: when the wait on it began
        self._timers: dict[int, int] = {}
        self._deadlines: list[tuple[int, int, Wait]] = []
        self._totals: dict[str, int] = {}

    def stepped(self, events: Iterable[Event], commands: Iterable[Command], now: int) -> None:
        """A step took events, which answer commands, and issued commands at that time."""
        for event in events:
            match event:
                case Resolved(seq) | Rejected(seq):
                    self._over(seq)
        for command in commands:
            self._issued(command, now)

    def heard(self, heard: Heard, now: int = 0) -> None:
        """Tasks began or ended to wait on channels, or took from them and wait again, at that time."""
        for number, *told in heard.changes:
            match told:
                case [kind, name, taken, joined, *ask]:
                    self._heard[number] = now
                    self._begun(Wait(kind, text_of(name), taken, number=number, joined=joined), *ask)
                case _:
                    self._ended(number, closed=bool(told))

    def command(self, seq: int) -> dict[str, Any]:
        """What is known of a command that waits for its answer: kind, name, `since`, and the `deadline` of a timer."""
        told: dict[str, Any] = {"since": self._since[seq]} if seq in self._since else {}
        if seq in self._timers:
            return told | {"kind": "timer", "deadline": self._timers[seq]}
        kind, name = self._commands.get(seq, ("", ""))
        return told | ({"kind": kind, "name": name} if kind else {})

    def channel(self, number: int) -> dict[str, Any]:
        """Since when tasks wait on a channel, if they do."""
        return {"since": self._heard[number]} if number in self._heard else {}

    def listed(self, most: int, most_topics: int) -> Waits:
        """Mailboxes, topics, commands by seq, timers by deadline: so many topics, and `most` of each of the others."""
        timers = (wait for _, _, wait in self._deadlines[:most])
        mailboxes = sorted(self._mailboxes.values(), key=lambda wait: wait.kind != "inbox")
        topics, commands = islice(self._topics.values(), most_topics), islice(self._commands.items(), most)
        totals = {**self._totals, **{wait.kind: 1 for wait in mailboxes}}
        totals |= {"topic": len(self._topics), "timer": len(self._timers)}
        return Waits(
            (*mailboxes, *topics, *(Wait(kind, name, seq) for seq, (kind, name) in commands), *timers),
            {kind: n for kind, n in totals.items() if n},
        )

    def _begun(self, wait: Wait, ask: str | None = None) -> None:
        if ask is not None:
            self._asks[wait.number] = json.loads(ask)
        waits = self._topics if wait.kind == "topic" else self._mailboxes
        waits[wait.number] = replace(wait, ask=self._asks.get(wait.number))

    def _ended(self, number: int, *, closed: bool) -> None:
        self._heard.pop(number, None)
        if self._topics.pop(number, None) is None:
            self._mailboxes.pop(number, None)
        if closed:
            self._asks.pop(number, None)

    def _issued(self, command: Command, now: int) -> None:
        match command:
            case StartTimer(seq, duration):
                self._timers[seq] = deadline = min(now + duration, MOST_DEADLINE)
                self._since[seq] = now
                insort(self._deadlines, (deadline, seq, Wait("timer", "", seq, deadline)))
            case CancelTimer(seq) | CancelCall(seq):
                self._over(seq)
            case Log():
                pass
            case _:
                self._commands[command.seq] = kind, _ = _kind_and_name(command)
                self._since[command.seq] = now
                self._totals[kind] = self._totals.get(kind, 0) + 1

    def _over(self, seq: int) -> None:
        self._since.pop(seq, None)
        if (known := self._commands.pop(seq, None)) is not None:
            self._totals[known[0]] -= 1
        elif (deadline := self._timers.pop(seq, None)) is not None:
            del self._deadlines[bisect_left(self._deadlines, (deadline, seq))]


def _kind_and_name(command: Call | Spawn | Exec | Send | Ask | Control) -> tuple[str, str]:
    match command:
        case Call(_, name):
            return "call", name
        case Spawn(_, name):
            return "spawn", name
        case Exec(_, name):
            return "exec", name
        case Send(_, name):
            return "send", name
        case Ask(_, name):
            return "ask", name
        case Control(_, _, name):
            return "control", name
        case _:
            assert_never(command)
