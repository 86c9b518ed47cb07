"""Search attributes: values of Lua as what the namespace has them for (docs/lua.md#options-of-a-workflow).

The namespace knows the type of each attribute. Where it can be asked, a text may be a keyword, a text or a date,
and a number an integer or a double; where it can't, the value alone decides, and a text is a keyword.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)

from engine.errors import UnitFailed, invalid
from engine.hosts.temporal.wire import payloads
from engine.steps import Value

Known = Mapping[str, str]
"""Names of types, as KEYWORD, by name of attribute."""

# The server's own limits, in number and in bytes of JSON.
MAX_COUNT, MAX_VALUE, MAX_TOTAL = 100, 2048, 40 * 1024

_KEYS: Mapping[str, Callable[[str], SearchAttributeKey[Any]]] = {
    "TEXT": SearchAttributeKey.for_text,
    "KEYWORD": SearchAttributeKey.for_keyword,
    "INT": SearchAttributeKey.for_int,
    "DOUBLE": SearchAttributeKey.for_float,
    "BOOL": SearchAttributeKey.for_bool,
    "DATETIME": SearchAttributeKey.for_datetime,
    "KEYWORD_LIST": SearchAttributeKey.for_keyword_list,
}

VALUES = "a table of text, numbers, booleans or lists of text"


def are_values(table: Mapping[str, Value]) -> bool:
    """Whether every value may be a search attribute's."""
    return all(_type_of(value) for value in table.values())


def guessed(table: Mapping[str, Value]) -> Known:
    """The types that the values alone suggest."""
    return {name: _type_of(value) for name, value in table.items()}


def typed(table: Mapping[str, Value], known: Known) -> TypedSearchAttributes:
    """The attributes as the namespace has them; raises Invalid for one that it has not, or not with such a value."""
    sizes = {name: payloads.encode(value, f"search attribute '{name}'").ByteSize() for name, value in table.items()}
    if len(table) > MAX_COUNT or sum(sizes.values()) > MAX_TOTAL:
        raise UnitFailed(invalid(f"search attributes: at most {MAX_COUNT}, of {MAX_TOTAL} bytes together"))
    if large := [name for name, size in sizes.items() if size > MAX_VALUE]:
        raise UnitFailed(invalid(f"search attribute '{large[0]}' has more than {MAX_VALUE} bytes"))
    return TypedSearchAttributes([_pair(name, value, known) for name, value in table.items()])


def _pair(name: str, value: Value, known: Known) -> SearchAttributePair[Any]:
    if name not in known:
        raise UnitFailed(invalid(f"search attribute '{name}' is not known to the namespace"))
    kind = known[name]
    fitting = _fitted(value, kind)
    if fitting is None:
        raise UnitFailed(invalid(f"search attribute '{name}' is a {kind}, not a {_type_of(value)}"))
    return SearchAttributePair(_KEYS[kind](name), fitting)


def _fitted(value: Value, kind: str) -> Any:
    own = _type_of(value)
    if own == kind:
        return value
    fit = _FITTED.get((own, kind))
    return fit(value) if fit else None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _type_of(value: Value) -> str:
    match value:
        case bool():
            return "BOOL"
        case int():
            return "INT"
        case float():
            return "DOUBLE"
        case str():
            return "KEYWORD"
        case list() if value and all(isinstance(item, str) for item in value):
            return "KEYWORD_LIST"
        case _:
            return ""


_FITTED: Mapping[tuple[str, str], Callable[[Any], Any]] = {
    ("KEYWORD", "TEXT"): str,
    ("KEYWORD", "DATETIME"): _moment,
    ("KEYWORD", "KEYWORD_LIST"): lambda text: [text],
    ("INT", "DOUBLE"): float,
    ("DOUBLE", "INT"): lambda number: int(number) if number.is_integer() else None,
}
"""What a value of one type is as another, None when it is nothing."""
