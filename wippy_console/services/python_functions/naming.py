"""From `package.module:name` to the function: only what WIPPY_PYTHON_FUNCTIONS allows, and only where it is written."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import reduce
from importlib import import_module
from typing import Any

from django.conf import settings

from engine.entry import Entry
from engine.errors import INVALID, NOT_FOUND, PERMISSION_DENIED, Failure, UnitFailed
from engine.registry.kinds import PYTHON_FUNCTION
from engine.registry.problems import Problem
from engine.registry.words import did_you_mean

FIELD = "callable"
_PATTERN = re.compile(r"[\w.*?\[\]!-]+(:[\w.*?\[\]!-]+)?")


def resolved(entry_id: str, text: str) -> Callable[..., Any]:
    """The callable that an entry names; UnitFailed (PermissionDenied, NotFound, Invalid) says what to do."""
    module, _, name = text.partition(":")
    if not _is_allowed(text) or any(part.startswith("_") for part in name.split(".")):
        raise UnitFailed(_forbidden(f"{text}, which {entry_id} names, is"))
    try:
        found = reduce(getattr, name.split("."), import_module(module))
    except (ImportError, AttributeError) as error:
        raise UnitFailed(_missing(text, module, name, error)) from error
    except SystemExit as error:  # a script: it may not end the process that only looks at it
        text = f"{module} ends the process when it is imported: name a function of a module that does not"
        raise UnitFailed(Failure(INVALID, text, retryable=False)) from error
    if not callable(found):
        raise UnitFailed(Failure(INVALID, f"{text} can't be called", retryable=False))
    if not _is_allowed(f"{module_of(found)}:{name}"):
        raise UnitFailed(_forbidden(f"{text} is of the module {module_of(found)}, which is"))
    return found


def left_out(entry: Entry) -> str:
    """Why no call of the entry reaches its code, as far as settings say, and what to do; "" when they allow it."""
    text = entry.data.get(FIELD)
    if entry.kind != PYTHON_FUNCTION or not isinstance(text, str) or _is_allowed(text):
        return ""
    known = ", ".join(settings.WIPPY_APPS) or "none"
    return (
        f"No app here has its code, {text}, so its calls fail: name the app in WIPPY_APPS (now {known}) for all web"
        " processes and workers, or the code in WIPPY_PYTHON_FUNCTIONS, and restart them; or delete the entry once no"
        " open run calls it."
    )


def problems(after: Mapping[str, Entry], touched: Iterable[str]) -> Iterator[Problem]:
    """What is wrong with the callables of the touched entries; that code is not there, or not yet, is a warning."""
    for entry_id in touched:
        entry = after.get(entry_id)
        text = entry.data.get(FIELD) if entry and entry.kind == PYTHON_FUNCTION else None
        if isinstance(text, str) and all(text.partition(":")):
            yield from _problems(entry_id, text)


def wrong_pattern(pattern: str) -> str:
    """What is wrong with a pattern of WIPPY_PYTHON_FUNCTIONS, with what to write; "" when nothing is."""
    package, _, rest = pattern.replace(":", ".").partition(".")
    if not _PATTERN.fullmatch(pattern):
        return "is no pattern of package.module:name"
    if not package.isidentifier():
        return "allows code of any package, os:system too: name the package, as shop.*"
    return "" if rest else f"matches nothing: a module and a name are wanted, as {pattern}.*"


def _problems(entry_id: str, text: str) -> Iterator[Problem]:
    try:
        wrong = _signature_problem(resolved(entry_id, text))
    except UnitFailed as error:
        found = Problem(error.failure.message, entry_id=entry_id, field=FIELD)
        yield found if error.failure.kind == PERMISSION_DENIED else replace(found, severity="warning")
    except Exception as error:  # whatever a module raises when it is imported
        text = f"{text} can't be imported: {type(error).__name__}: {error}"
        yield Problem(text, entry_id=entry_id, field=FIELD, severity="warning")
    else:
        if wrong:
            yield Problem(f"{text} {wrong}", entry_id=entry_id, field=FIELD, severity="warning")


def _signature_problem(function: Callable[..., Any]) -> str:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return "tells no signature: it can't be called with ctx and the arguments"
    if not parameters or parameters[0].kind in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD):
        return "takes no argument: the first is ctx"
    if wanted := [each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.default is each.empty]:
        return f"wants {wanted[0]} by its name: arguments come by their place"
    return ""


def _is_allowed(text: str) -> bool:
    return any(fnmatchcase(text.replace(":", "."), each.replace(":", ".")) for each in settings.PYTHON_FUNCTIONS)


def module_of(found: Any) -> str:
    """The module that it is written in, as it says itself; what decorators wrap in good manner says the same."""
    return str(getattr(found, "__module__", None) or type(found).__module__)


def _forbidden(what: str) -> Failure:
    known = ", ".join(settings.PYTHON_FUNCTIONS) or "nothing"
    text = (
        f"{what} not among WIPPY_PYTHON_FUNCTIONS ({known}), by default the code of the apps that WIPPY_APPS names:"
        " add it or its app there, or name another"
    )
    return Failure(PERMISSION_DENIED, text, retryable=False)


def _missing(text: str, module: str, name: str, error: Exception) -> Failure:
    if isinstance(error, ImportError):
        told = str(error).replace(f" ({error.path})", "")  # where this machine has it
        return Failure(NOT_FOUND, f"{text}: {told}", retryable=False)
    near = did_you_mean(name, (each for each in vars(import_module(module)) if not each.startswith("_")))
    return Failure(NOT_FOUND, f"{module} has no '{name}'{f'; {near}' if near else ''}", retryable=False)
