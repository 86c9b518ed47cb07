"""Which step each thread of a worker is in, in memory that its guardian shares.

A slot of `SLOT` bytes for each thread: the step's number (0 when there is none) and the thread's id as the operating
system knows it, 8 bytes each; the length of the card, 2 bytes; the card as JSON.
"""

from __future__ import annotations

import itertools
import json
import mmap
import os
import struct
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from engine.contracts.watcher import Card, Interruptible

HANDLE = "WIPPY_STEPS"
"""The environment variable that gives a worker the descriptor of its ledger."""
SLOTS, SLOT = 256, 8192
_HEAD = struct.Struct("<QQH")
_NUMBER = struct.Struct("<Q")
_LONGEST = 500  # characters of each field that a slot keeps, as long as ids of entries are
_LONGEST_PID = 200


@dataclass(frozen=True, slots=True)
class Running:
    """A step that was under way when the ledger was read. `thread` is its id for the operating system."""

    slot: int
    number: int
    thread: int
    card: Card


def memory() -> int:
    """A file descriptor of memory for a ledger, to be inherited."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("wippy-steps")
    else:  # not on Linux
        with tempfile.TemporaryFile() as file:
            handle = os.dup(file.fileno())
    os.ftruncate(handle, SLOTS * SLOT)
    return handle


def own_ledger() -> Ledger | None:
    """The ledger that a guardian gave to this process; None when it has none."""
    handle = os.environ.pop(HANDLE, "")
    return Ledger(int(handle)) if handle else None


class Ledger:
    """Reads the memory of a descriptor; only the worker itself writes, each thread into a slot of its own."""

    def __init__(self, handle: int) -> None:
        self._memory = mmap.mmap(handle, SLOTS * SLOT)
        self._numbers = itertools.count(1)
        self._free = list(range(SLOTS - 1, -1, -1))
        self._units: list[Interruptible | None] = [None] * SLOTS
        self._own = threading.local()

    def begin(self, unit: Interruptible, card: Card) -> None:
        """This thread steps the unit."""
        try:
            place: _Place = self._own.place
        except AttributeError:
            place = self._own.place = _Place(self._free)
        if place.slot < 0:
            return
        self._units[place.slot] = unit
        text = _written(card)
        at = place.slot * SLOT
        _HEAD.pack_into(self._memory, at, 0, place.thread, len(text))
        self._memory[at + _HEAD.size : at + _HEAD.size + len(text)] = text
        _NUMBER.pack_into(self._memory, at, next(self._numbers))

    def end(self) -> None:
        """This thread steps nothing."""
        slot = self._own.place.slot
        if slot >= 0:
            _NUMBER.pack_into(self._memory, slot * SLOT, 0)
            self._units[slot] = None

    def running(self) -> Iterator[Running]:
        """Every step under way; one whose slot is being written just now may be left out."""
        for slot in range(SLOTS):
            number, thread, length = _HEAD.unpack_from(self._memory, slot * SLOT)
            if number:
                found = self._card(slot, length)
                if found and _NUMBER.unpack_from(self._memory, slot * SLOT)[0] == number:
                    yield Running(slot, number, thread, found)

    def unit(self, running: Running) -> Interruptible | None:
        """What steps there, if it is still that step; for the worker itself."""
        unit = self._units[running.slot]
        return unit if _NUMBER.unpack_from(self._memory, running.slot * SLOT)[0] == running.number else None

    def clear(self) -> None:
        """Forget all steps: their process is gone."""
        for slot in range(SLOTS):
            _NUMBER.pack_into(self._memory, slot * SLOT, 0)

    def _card(self, slot: int, length: int) -> Card | None:
        at = slot * SLOT + _HEAD.size
        try:
            return Card(**json.loads(self._memory[at : at + length]))
        except ValueError:
            return None


class _Place:
    """The slot of a thread, given back when the thread ends; -1 when there is none left."""

    def __init__(self, free: list[int]) -> None:
        self.thread = threading.get_native_id()
        self._free = free
        try:
            self.slot = free.pop()
        except IndexError:
            self.slot = -1

    def __del__(self) -> None:
        if self.slot >= 0:
            self._free.append(self.slot)


def _written(card: Card) -> bytes:
    """As JSON; written once for each card, which a unit keeps."""
    text = _texts.get(id(card))
    if text is not None and text[0] is card:
        return text[1]
    fields = {name: value[:_LONGEST] for name, value in asdict(card).items()} | {"pid": card.pid[:_LONGEST_PID]}
    # A letter takes at most six bytes, so that all of it fits: a text that was cut could not be read.
    written = json.dumps(fields, ensure_ascii=False).encode(errors="replace")
    if len(_texts) > 10_000:
        _texts.clear()
    _texts[id(card)] = card, written
    return written


_texts: dict[int, tuple[Card, bytes]] = {}
