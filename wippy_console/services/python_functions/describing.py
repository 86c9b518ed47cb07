"""What people may know of a callable: file and line, signature, words, lines. Its code is never edited here."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.entry import Entry
from engine.errors import UnitFailed
from engine.registry.kinds import PYTHON_FUNCTION
from wippy_console.services.python_functions.naming import FIELD, left_out, module_of, resolved

_LINE_END = re.compile(r"(?<!\n)\n(?=[^\s*:>|\-\d])")
"""Where a paragraph only breaks for the width of its file; lists and indented lines keep theirs."""


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a callable as this process has it. `lines` are numbered; without them `problem` says why."""

    callable: str
    place: str = ""
    signature: str = ""
    doc: str = ""
    is_async: bool = False
    lines: tuple[tuple[int, str], ...] = ()
    problem: str = ""


def code_of(entry: Entry) -> Code | None:
    """The code that a `function.python` names; None for entries of other kinds."""
    text = entry.data.get(FIELD)
    if entry.kind != PYTHON_FUNCTION or not isinstance(text, str):
        return None
    if why := left_out(entry):
        return Code(text, problem=why)
    try:
        return _described(text, inspect.unwrap(resolved(entry.id, text)))
    except UnitFailed as error:
        return Code(text, problem=error.failure.message)
    except Exception as error:  # whatever a module raises when it is imported
        return Code(text, problem=f"{type(error).__name__}: {error}")


def _described(text: str, function: Callable[..., Any]) -> Code:
    is_plain = inspect.isroutine(function) or inspect.isclass(function)
    shown: Any = function if is_plain else type(function)
    called = function if is_plain else function.__call__  # type: ignore[operator]
    lines, first = _source(shown)
    module = module_of(function)
    file = (inspect.getsourcefile(shown) or "").rpartition("/")[2]
    place = "/".join([*module.split(".")[:-1], file]) if file else module
    return Code(
        text,
        f"{place}:{first}" if lines else place,
        f"{text.rpartition(':')[2]}{_signature(function)}",
        _LINE_END.sub(" ", inspect.getdoc(function) or ""),
        inspect.iscoroutinefunction(called),
        tuple(enumerate(lines, first)),
    )


@dataclass(frozen=True, slots=True)
class _Written:
    """Stands in a signature for what its own `repr` would say badly, or too much of."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """As it is written; a default whose value may come from settings or the environment, and be a secret, is unsaid."""
    found = inspect.signature(function)
    parameters = [
        each.replace(default=_default(each.default), annotation=_annotation(each.annotation))
        for each in found.parameters.values()
    ]
    return found.replace(parameters=parameters, return_annotation=_annotation(found.return_annotation))


def _default(value: Any) -> Any:
    is_plain = value is None or isinstance(value, int | float) or value is inspect.Parameter.empty
    return value if is_plain else _Written("…")


def _annotation(value: Any) -> Any:
    return _Written(value) if isinstance(value, str) else value


def _source(shown: Any) -> tuple[list[str], int]:
    try:
        lines, first = inspect.getsourcelines(shown)
    except (OSError, TypeError):
        return [], 0
    return [line.rstrip("\n") for line in lines], first
