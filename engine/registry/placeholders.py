"""What entries take from the environment: `${env:NAME}` in texts, and fields `<name>_env` that name a variable.

They are checked when an entry is published, and filled in by the host that reads it: the registry keeps no secret.
NAME is that of a declared variable, the id of an `env.variable`, or a variable of the process environment
(`engine.asks.variables`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.entry import Entry
from engine.errors import UnitFailed, invalid
from engine.registry.problems import Problem

OPENING = "${env:"
SUFFIX = "_env"
KEPT = frozenset({"source", "method", "modules", "imports", "limits"})
"""Fields that are part of a program: what a run does must not hang on where it runs."""
KEPT_META = frozenset({"title", "description", "input_schema", "signals", "temporal", "webhooks"})
"""Fields of meta that the console shows, or that say how a run's steps are made."""
PLACEHOLDER = re.compile(
    r"\$\$\{|\$\{(?:env:(?P<name>[A-Za-z_][A-Za-z0-9_]*|[A-Za-z0-9_.-]+:[A-Za-z0-9_./-]+)(?:\|(?P<default>[^}]*))?"
    r"|(?P<short>[A-Z_][A-Z0-9_]*)\|(?P<otherwise>[^}]*))\}"
)
"""`${env:NAME}`, `${env:NAME|default}`, `${NAME|default}`, and `$${`, which stands for `${`."""


def check(value: Any, path: str = "") -> Iterator[Problem]:
    """A problem for each text that opens a placeholder which is none."""
    for where, text in texts(value, path):
        if OPENING in PLACEHOLDER.sub("", text):
            message = (
                "a placeholder is ${env:NAME} or ${env:NAME|default}; NAME is of letters, digits and _, or an entry id"
            )
            yield Problem(message, field=where)


def found(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(field, text) of each text that holds a placeholder."""
    return ((where, text) for where, text in texts(value, path) if PLACEHOLDER.search(text))


def unset(entry: Entry, known: Container[str]) -> Iterator[Problem]:
    """A problem for each placeholder of the entry that has no default and names a variable that is not known."""
    for where, text in _filled_texts(entry):
        for match in PLACEHOLDER.finditer(text):
            name = match["name"]
            if name and match["default"] is None and name not in known:
                message = f"the variable {name} is not set: set it, or give a default, ${{env:{name}|default}}"
                yield Problem(message, entry_id=entry.id, field=where)


def decoded(entry: Entry, variables: Mapping[str, str]) -> Entry:
    """The entry with its placeholders filled in; raises UnitFailed (Invalid) that names the field of one that can't be.

    What is code or the console's own words stays as it is written: `KEPT` of data and `KEPT_META` of meta.
    """
    if not any(OPENING in text or PLACEHOLDER.search(text) for _, text in _filled_texts(entry)):
        return entry
    for problem in unset(entry, variables):
        raise UnitFailed(invalid(f"entry {entry.id}: {problem.field}: {problem.message}"))
    data = {key: value if key in KEPT else filled(value, variables) for key, value in entry.data.items()}
    meta = {key: value if key in KEPT_META else filled(value, variables) for key, value in entry.meta.items()}
    return replace(entry, data=data, meta=meta)


def _filled_texts(entry: Entry) -> Iterator[tuple[str, str]]:
    yield from texts({key: value for key, value in entry.data.items() if key not in KEPT})
    yield from texts({key: value for key, value in entry.meta.items() if key not in KEPT_META}, "meta")


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value with its dotted path."""
    match value:
        case str():
            yield path, value
        case dict():
            for key, child in value.items():
                yield from texts(child, f"{path}.{key}" if path else str(key))
        case list():
            for index, child in enumerate(value):
                yield from texts(child, f"{path}.{index}" if path else str(index))


def filled(value: Any, environ: Mapping[str, str], missing: str | None = None) -> Any:
    """The value with its placeholders replaced, and `name` set where `name_env` names a variable that is not empty.

    `missing` stands for a variable that is not set and has no default; when it is None that raises KeyError.
    A text that is one placeholder and nothing else is of the type of its default, as 8080 in `${env:PORT|8080}`.
    """
    match value:
        case str():
            return _filled_text(value, environ, missing)
        case Mapping():
            own = {key: filled(item, environ, missing) for key, item in value.items()}
            return {**own, **_named(value, environ)}
        case list():
            return [filled(item, environ, missing) for item in value]
        case _:
            return value


def with_defaults(value: Any) -> Any:
    """The value with each text that is one placeholder with a default, other than "", replaced by this."""
    match value:
        case str():
            default = _default(whole) if (whole := PLACEHOLDER.fullmatch(value)) else None
            return value if default in (None, "") else default
        case dict():
            return {key: with_defaults(item) for key, item in value.items()}
        case list():
            return [with_defaults(item) for item in value]
        case _:
            return value


def _named(fields: Mapping[Any, Any], environ: Mapping[str, str]) -> dict[str, str]:
    return {
        key.removesuffix(SUFFIX): environ[name]
        for key, name in fields.items()
        if isinstance(key, str) and key.endswith(SUFFIX) and isinstance(name, str) and environ.get(name)
    }


def _filled_text(text: str, environ: Mapping[str, str], missing: str | None) -> Any:
    whole = PLACEHOLDER.fullmatch(text)
    if whole is not None:
        return _value(whole, environ, missing)
    return PLACEHOLDER.sub(lambda match: _as_text(_value(match, environ, missing)), text)


def _value(match: re.Match[str], environ: Mapping[str, str], missing: str | None) -> Any:
    name = match["name"] or match["short"]
    if name is None:
        return "${"
    default = _default(match)
    if name not in environ:
        return default if default is not None else environ[name] if missing is None else missing
    return environ[name] if isinstance(default, str | None) else _literal(environ[name])


def _default(match: re.Match[str]) -> Any:
    text = match["default"] if match["name"] else match["otherwise"]
    return None if text is None else _literal(text)


def _literal(text: str) -> Any:
    """A number, true or false, or a text in quotes; any other text as it is."""
    if text.lstrip().startswith(("[", "{")):  # those may be nested deeper than Python's stack
        return text
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if value is None else value


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
