"""What hides the masked parts of whatever a run says: dots at the paths, and wherever else their values turn up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.errors import Failure
from wippy_console.models.masks.declared import of_entry
from wippy_console.models.masks.dots import MASK, masked, picked

SHORTEST = 4
"""Letters or digits that a value has at least to be looked for elsewhere: shorter ones stand everywhere by chance."""
MOST = 500
"""So many values at most; further ones are hidden at their own places only."""


class Veil:
    """That of some paths, for values that are known to stand at them: in `given`, or `told` before (`telling`)."""

    def __init__(self, paths: Sequence[str], given: Iterable[Any] = (), told: Iterable[str] = ()) -> None:
        self.paths = paths
        self._known = longest({*telling(given, paths), *told}) if paths else []
        self._pattern = re.compile("|".join(map(re.escape, self._known))) if self._known else None

    def at(self, paths: Sequence[str]) -> Veil:
        """The same for other paths: what stood at any is hidden."""
        other = Veil(paths)
        other._known, other._pattern = self._known, self._pattern
        return other

    def __bool__(self) -> bool:
        return bool(self.paths)

    def value(self, value: Any) -> Any:
        """The value as it may be shown, the very same where nothing is hidden."""
        shown = masked(value, self.paths) if self.paths else value
        return shown if self._pattern is None else self._scrubbed(shown)

    def told(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """What is told of a deed, by name: each value for itself, of a failure its details."""
        if not self.paths:
            return dict(data)
        return {name: self.failure(each) if name == "failure" else self.value(each) for name, each in data.items()}

    def failure(self, found: Any) -> Any:
        """A failure as `Failure.to_json` has it."""
        if not isinstance(found, dict) or not self.paths:
            return found
        shown = self.value(found)
        details = self.value(shown.get("details"))
        return shown if details is shown.get("details") else {**shown, "details": details}

    def text(self, text: str) -> str:
        """A text without the values."""
        return self._pattern.sub(MASK, text) if self._pattern is not None else text

    def _scrubbed(self, value: Any) -> Any:
        """The value without what is known, wherever in it; the very same where there is none."""
        match value:
            case dict():
                new = {self.text(name): self._scrubbed(each) for name, each in value.items()}
                return value if all(new.get(name, MASK) is each for name, each in value.items()) else new
            case list() | tuple():
                listed = [self._scrubbed(each) for each in value]
                return value if all(one is other for one, other in zip(listed, value, strict=True)) else listed
            case Failure():
                return self._without(value)
            case _:
                return self._leaf(value)

    def _without(self, found: Failure) -> Failure:
        details = self._scrubbed(found.details)
        shown = replace(found, message=self.text(found.message), stack=self.text(found.stack), details=details)
        return found if shown == found else shown

    def _leaf(self, value: Any) -> Any:
        if isinstance(value, str):
            shown = self.text(value)
            return value if shown == value else shown
        if isinstance(value, bytes):
            text = value.decode("utf-8", "replace")
            return value if self.text(text) == text else MASK
        return MASK if _can_tell(value) and str(value) in self._known else value


def veil_of(entry_id: str, data: Mapping[str, Any]) -> Veil:
    """That of what is told of a unit that is no run: `data` has the values that it knows."""
    paths = of_entry(entry_id) if entry_id else ()
    return Veil(paths, data.values() if paths else ())


def longest(known: Iterable[str]) -> list[str]:
    """Those that are looked for, where there are too many."""
    return sorted(known, key=len, reverse=True)[:MOST]


def telling(given: Iterable[Any], paths: Sequence[str]) -> set[str]:
    """The values at the paths that are long enough to be theirs alone, as texts."""
    found = {str(each) for value in given for each in picked(value, paths) if _can_tell(each)}
    return {text for text in found if len(text) >= SHORTEST and text != MASK}


def _can_tell(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
