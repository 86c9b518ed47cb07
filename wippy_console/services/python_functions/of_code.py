"""Functions that code declares itself (`sdk.function`): entries beside those of the registry, which count first.

They are of the process that imported the code and have no versions. A run goes by what the worker of the moment says of
them, so they may not say what changes the commands of a run: a replay could meet other words than the first time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.entry import Entry
from engine.registry import fields
from engine.registry.kinds import PYTHON_FUNCTION
from engine.registry.placeholders import OPENING
from engine.registry.problems import errors_in

FIXED = ("local", "id", "type")
"""Options of an activity that a replay compares."""


class DeclaredWrongly(Exception):
    """A declaration can't stand; the text says of which function, and why."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A function of code, as the entry that it stands for."""

    entry: Entry
    digest: str


_declared: dict[str, Declared] = {}


def declare(entry_id: str, function: Callable[..., Any], meta: Mapping[str, Any]) -> None:
    """Let an id mean the function; the same code may say so again, other code may not. Raises DeclaredWrongly."""
    name = f"{function.__module__}:{function.__qualname__}"
    found = Entry(entry_id, PYTHON_FUNCTION, json.loads(_text(name, meta)), {"callable": name})
    _check(found)
    before = _declared.get(entry_id)
    if before is not None and before.entry.data != found.data:
        raise DeclaredWrongly(f"{name}: {entry_id} is {before.entry.data['callable']} already")
    _declared[entry_id] = Declared(found, digest_of(found))


def declared() -> list[Declared]:
    """All of this process, by id."""
    return [_declared[entry_id] for entry_id in sorted(_declared)]


def entry(entry_id: str) -> Entry | None:
    """The entry that code declares by that id; the same object each time."""
    found = _declared.get(entry_id)
    return found.entry if found else None


def digest(entry_id: str) -> str:
    """That of what code declares by that id, or ""."""
    found = _declared.get(entry_id)
    return found.digest if found else ""


def digest_of(entry: Entry) -> str:
    """A short digest of all that an entry says."""
    text = json.dumps([entry.kind, entry.meta, entry.data], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _text(name: str, meta: Mapping[str, Any]) -> str:
    try:
        text = json.dumps({key: value for key, value in meta.items() if value not in (None, {})}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DeclaredWrongly(f"{name}: what is declared must be plain data: {error}") from error
    if OPENING in text:
        raise DeclaredWrongly(f"{name}: placeholders such as {OPENING}NAME}} are for entries of the registry")
    return text


def _check(entry: Entry) -> None:
    name = entry.data["callable"]
    if "<" in name:
        raise DeclaredWrongly(f"{name}: declare a function of a module, not one inside another")
    for key in _option_names(entry.meta):
        if key in FIXED:
            raise DeclaredWrongly(f"{name}: {key} is for entries of the registry, whose versions runs remember")
    wrong = errors_in(fields.check(entry))
    if wrong:
        raise DeclaredWrongly(f"{name}: {wrong[0]}")


def _option_names(meta: Mapping[str, Any]) -> list[str]:
    temporal = meta.get("temporal")
    activity = temporal.get("activity") if isinstance(temporal, Mapping) else None
    options = meta.get("options")
    found = [*(options if isinstance(options, Mapping) else ()), *(activity if isinstance(activity, Mapping) else ())]
    return [str(key).rpartition(".")[2] for key in found]
