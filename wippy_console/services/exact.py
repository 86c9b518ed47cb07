"""Numbers and JSON texts read exactly: what the engine can't keep is refused, never changed.

Lua keeps whole numbers of 64 bits, and others as floats of 15 to 17 digits. A number is kept when it comes back from
there as the same number.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NoReturn

Path = tuple[str | int, ...]
"""Where a part of a value stands: names of properties and indexes of lists, from the outside in."""

_Place = tuple[Any, str | int] | None
"""The place around it, and the last step: whole paths of a million deep parts would take gigabytes."""

INTEGERS = range(-(2**63), 2**63)
MAX_DIGITS = 400
"""Longer texts are no numbers that anything here could keep."""
MAX_DEPTH = 200
"""Levels of lists and objects that a value may have: as many as Lua takes."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_SHOWN = 40


class NotExactError(Exception):
    """A text can't be read, or its value can't be kept; the text of the error is for whoever wrote it."""


def number(text: str) -> int | float:
    """The number that the text spells: an int when it is written as one, else a float of the same digits."""
    exact = _decimal(text)
    if text.lstrip("+-").isdecimal():
        return _kept(int(text), text)
    found = float(text)
    if not math.isfinite(found) or Decimal(repr(found)) != exact:
        raise NotExactError(_lost(text))
    return found


def whole(text: str) -> int:
    """The whole number that the text spells, which may be `3.0` or `1e3`."""
    exact = _decimal(text)
    found = int(exact)
    if Decimal(found) != exact:
        raise NotExactError("Write a whole number.")
    return _kept(found, text)


def json_value(text: str) -> Any:
    """The value of a JSON text; a name that stands twice in one object is refused, too."""
    try:
        value = json.loads(
            text, parse_int=number, parse_float=number, parse_constant=_no_constant, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise NotExactError(f"This is no JSON: {error.msg} ({where}).") from None
    except RecursionError:
        raise NotExactError("This JSON is nested too deeply.") from None
    for _, fault in faults(value):
        raise NotExactError(fault)
    return value


def faults(value: Any) -> Iterator[tuple[Path, str]]:
    """What of a JSON value would not arrive as it is, each with where it stands."""
    waiting: list[tuple[_Place, Any, int]] = [(None, value, 0)]
    while waiting:
        place, part, depth = waiting.pop()
        if isinstance(part, Mapping | list | tuple) and depth == MAX_DEPTH:
            yield _path(place), f"Nested deeper than {MAX_DEPTH} levels."
            return  # one says it; there may be thousands
        if isinstance(part, Mapping):
            yield from ((_path(place), fault) for name in part if (fault := text_fault(str(name))))
            waiting.extend(((place, name), item, depth + 1) for name, item in reversed(list(part.items())))
        elif isinstance(part, list | tuple):
            waiting.extend(((place, index), part[index], depth + 1) for index in reversed(range(len(part))))
        elif fault := _fault(part):
            yield _path(place), fault


def _path(place: _Place) -> Path:
    found: list[str | int] = []
    while place is not None:
        place, step = place
        found.append(step)
    return tuple(reversed(found))


def text_fault(text: str) -> str:
    """Why the text can't be kept by every database, "" when it can."""
    if "\0" in text:
        return "A text can't hold the character NUL."
    return "" if text.isascii() or not _has_halves(text) else "This text holds half of a character (a lone surrogate)."


def is_kept(found: int) -> bool:
    """Whether Lua has this very number: of 64 bits, or a float that is equal to it."""
    if found in INTEGERS:
        return True
    try:
        return int(float(found)) == found
    except OverflowError:
        return False


def _decimal(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise NotExactError("Write a number, like 12 or 12.5.")
    exact = Decimal(text) if len(text) <= MAX_DIGITS else None
    if exact is None or abs(exact.adjusted()) > MAX_DIGITS:
        raise NotExactError(_lost(text))
    return exact


def _kept(found: int, text: str) -> int:
    if not is_kept(found):
        raise NotExactError(_lost(text))
    return found


def _lost(text: str) -> str:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"{shown} can't be kept exactly: whole numbers have up to 64 bits, others up to 15 to 17 digits."


def _no_constant(name: str) -> NoReturn:
    raise NotExactError(f"JSON has no {name}.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    raise NotExactError(f"{json.dumps(twice, ensure_ascii=False)} stands twice in one object.")


def _fault(part: Any) -> str:
    """Of what holds nothing else."""
    match part:
        case bool():
            return ""
        case int():
            return "" if is_kept(part) else _lost(str(part) if abs(part) < 10**MAX_DIGITS else "This number")
        case float():
            return "" if math.isfinite(part) else "JSON has no infinities, and nothing that is no number."
        case str():
            return text_fault(part)
        case _:
            return ""


def _has_halves(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)
