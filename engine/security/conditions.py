"""Conditions of policies (docs/lua.md#policies): a field of what is asked, an operator, and a value or another field.

A field that is missing equals nothing and is in nothing: `eq`, `in` and the like do not hold for it, their negations
do.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.bounded import patterns
from engine.bounded.errors import TooCostlyError

Test = Callable[[Any, Any], bool]


class BadPolicyError(ValueError):
    """Raised for a definition that is no policy; `field` is the dotted path of what is wrong in it."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: may the actor do the action to the resource? `meta` is what is known of the resource."""

    actor: Mapping[str, Any]
    action: str
    resource: str
    meta: Mapping[str, Any]

    def field(self, path: str) -> Any:
        """The value at `actor.id`, `actor.meta.*`, `action`, `resource` or `meta.*`; None when there is none."""
        value: Any = {"actor": self.actor, "action": self.action, "resource": self.resource, "meta": self.meta}
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return value


def _equal(a: Any, b: Any) -> bool:
    return a is not None and isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def _in(a: Any, b: Any) -> bool:
    return isinstance(b, (list, tuple)) and any(_equal(a, item) for item in b)


def _contains(a: Any, b: Any) -> bool:
    return b in a if isinstance(a, str) and isinstance(b, str) else _in(b, a)


def _matches(a: Any, b: Any) -> bool:
    return isinstance(a, str) and isinstance(b, str) and patterns.search(b, a)


def _exists(a: Any, b: Any) -> bool:
    return (a is not None) == (b is not False)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _ordered(compare: Test) -> Test:
    def test(a: Any, b: Any) -> bool:
        alike = (_is_number(a) and _is_number(b)) or (isinstance(a, str) and isinstance(b, str))
        return alike and compare(a, b)

    return test


def _not(test: Test) -> Test:
    return lambda a, b: not test(a, b)


OPERATORS: Mapping[str, Test] = {
    "eq": _equal,
    "ne": _not(_equal),
    "lt": _ordered(operator.lt),
    "gt": _ordered(operator.gt),
    "lte": _ordered(operator.le),
    "gte": _ordered(operator.ge),
    "in": _in,
    "nin": _not(_in),
    "exists": _exists,
    "nexists": _not(_exists),
    "contains": _contains,
    "ncontains": _not(_contains),
    "matches": _matches,
    "nmatches": _not(_matches),
}
WITHOUT_VALUE = ("exists", "nexists")
FIELDS = "actor.id, actor.meta.NAME, action, resource or meta.NAME"
FIELD = re.compile(r"(actor\.id|action|resource|(actor\.)?meta(\.[^.]+)+)")


@dataclass(frozen=True, slots=True)
class Condition:
    """Compares a field with a value, or with another field (`value_from`)."""

    field: str
    test: Test
    value: Any = None
    value_from: str = ""

    @classmethod
    def read(cls, data: Any, path: str) -> Condition:
        """The condition that the data describes; raises BadPolicyError."""
        if not isinstance(data, Mapping):
            raise BadPolicyError("must be a mapping", path)
        name, source = data.get("operator"), data.get("value_from")
        if not isinstance(name, str) or name not in OPERATORS:
            raise BadPolicyError(f"is one of {', '.join(OPERATORS)}", f"{path}.operator")
        value = data.get("value")
        if source is None and value is None and name not in WITHOUT_VALUE:
            raise BadPolicyError("needs `value` or `value_from`", path)
        _check_value(name, value, source, path)
        return cls(_field(data.get("field"), f"{path}.field"), OPERATORS[name], value, _source(source, path))

    def holds(self, request: Request) -> bool:
        """Whether it holds; raises TooCostlyError or re.error for a pattern that can't be looked for."""
        wanted = request.field(self.value_from) if self.value_from else self.value
        return self.test(request.field(self.field), wanted)


def _source(source: Any, path: str) -> str:
    return "" if source is None else _field(source, f"{path}.value_from")


def _field(value: Any, path: str) -> str:
    if not isinstance(value, str) or not FIELD.fullmatch(value):
        raise BadPolicyError(f"is {FIELDS}", path)
    return value


def _check_value(name: str, value: Any, source: Any, path: str) -> None:
    if source is not None:
        return
    if name in ("in", "nin") and not isinstance(value, (list, tuple)):
        raise BadPolicyError("must be a list", f"{path}.value")
    if name in ("matches", "nmatches"):
        try:
            patterns.search(value if isinstance(value, str) else "(", "")
        except (re.error, TooCostlyError) as error:
            raise BadPolicyError(f"is no pattern: {error}", f"{path}.value") from None
