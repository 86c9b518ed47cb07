"""What must not be shown of a run outside its history: values that it masks, wherever they turn up again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.hosts.temporal.wire.payloads import decode
from wippy_console.models import Run
from wippy_console.services import histories, masking
from wippy_console.services.masking import MASK
from wippy_console.services.secrets import everywhere
from wippy_console.services.secrets.events import history

SHORTEST = 4
"""Characters of a hidden text that is looked for within other texts; shorter ones only count as a whole."""

_SECRET = re.compile(r"passw|secret|token|credential|authorization|api_?key|private_?key", re.IGNORECASE)


@dataclass(slots=True)
class Hidden:
    """Texts and numbers that stand behind dots, and the names under which they stand there."""

    values: set[str | int | float] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def hides_name(self, name: Any) -> bool:
        """Whether a variable or key of that name is hidden, whatever it holds; rather too much than a secret."""
        return isinstance(name, str) and (name in self.names or bool(_SECRET.search(name)))

    def hides(self, value: Any) -> bool:
        """Whether a text or a number is hidden, or holds something hidden, or begins what is."""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return False
        return value in self.values or (isinstance(value, str) and any(map(value.__contains__, self._long())))

    def hides_beginning(self, text: str) -> bool:
        """The same of the first characters of a longer text."""
        return self.hides(text) or any(each.startswith(text) for each in self._long())

    def masked(self, value: Any, *, names: bool = True) -> Any:
        """Plain data with dots in place of all that is hidden; without `names` of the values alone."""
        match value:
            case dict():
                hides = self.hides_name if names else (lambda name: False)
                return {key: MASK if hides(key) else self.masked(item, names=names) for key, item in value.items()}
            case list():
                return [self.masked(item, names=names) for item in value]
            case _:
                return MASK if self.hides(value) else value

    def _long(self) -> Iterator[str]:
        return (each for each in self.values if isinstance(each, str) and len(each) >= SHORTEST)


def of(run: Run, user: Any) -> Hidden:
    """What the history masks for the user; NotFoundError, Unavailable."""
    found = Hidden(names=set() if masking.sees(user, run) else _last_names(run.mask))
    whole, shown = histories.read(run).events, history(run, user).events
    for one, other in zip(whole, shown, strict=False):
        if one is not other:
            for before, after in zip(everywhere.of(one), everywhere.of(other), strict=False):
                _compare(decode(before), decode(after), found)
    return found


def _last_names(paths: Iterable[str]) -> set[str]:
    return {name for path in paths if (name := path.rpartition(".")[2]) not in ("", "*", "$") and not name.isdecimal()}


def _compare(before: Any, after: Any, found: Hidden) -> None:
    match before, after:
        case _, str() if after == MASK:
            found.values.update(_leaves(before))
        case dict(), dict():
            for key in before.keys() & after.keys():
                if after[key] == MASK and before[key] != MASK:
                    found.names.add(str(key))
                _compare(before[key], after[key], found)
        case list(), list():
            for one, other in zip(before, after, strict=False):
                _compare(one, other, found)


def _leaves(value: Any) -> Iterator[str | int | float]:
    match value:
        case bool() | None:
            return
        case str() | int() | float():
            yield value
        case Mapping():
            for each in value.values():
                yield from _leaves(each)
        case list():
            for each in value:
                yield from _leaves(each)
