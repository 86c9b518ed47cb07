"""JSON Schema under a budget: schemas come from authors and values from anybody, and neither may hold up a process.

Nothing is ever fetched: a reference leads to the schema's own parts, or is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from typing import Any

from jsonschema import validators
from jsonschema._utils import find_additional_properties
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from engine.bounded import patterns
from engine.bounded.errors import TooCostlyError

MAX_CHECKS = 200_000
"""Keywords looked at for one value, and other work of some microseconds: about a second."""

PART = 15
"""What a part of a schema costs: it is checked against the schema of schemas."""

MAX_DEPTH = 200

_NOTHING_REMOTE: Registry[Any] = Registry()
_left: ContextVar[int] = ContextVar("checks left", default=MAX_CHECKS)
_within: ContextVar[bool] = ContextVar("a budget holds", default=False)

Check = Callable[..., Any]


def errors(schema: Any, value: Any, default: Any, formats: Any = None) -> list[ValidationError]:
    """What is wrong with the value; see `measured`."""
    return measured(schema, value, default, formats)[0]


def measured(schema: Any, value: Any, default: Any, formats: Any = None) -> tuple[list[ValidationError], int]:
    """What is wrong with the value, and how many checks that took (of some microseconds each).

    `default` is the validator class of a schema that names no dialect. Raises SchemaError for a schema that is none,
    refers elsewhere or to itself without end, and TooCostlyError.
    """
    cls = validator_for(schema, default=default)
    with budget() as spent, _readable():
        _refuse_dialects(schema)
        cls.check_schema(schema)
        found = list(_guarded(cls)(schema, format_checker=formats, registry=_NOTHING_REMOTE).iter_errors(value))
        return found, spent()


def try_on(schema: Any, values: Iterable[Any], default: Any) -> None:
    """Apply a schema that is one by the schema of schemas; raises as `measured` does for what can't be applied."""
    cls = validator_for(schema, default=default)
    with budget(), _readable():
        _refuse_dialects(schema)
        for value in values:
            _guarded(cls)(schema, registry=_NOTHING_REMOTE).is_valid(value)


def weigh(schema: Any) -> None:
    """Raises TooCostlyError for a schema that is too large for what is left, before anything reads it whole."""
    token = _left.set(_left.get())
    try:
        with suppress(SchemaError):  # whoever applies it says so
            _refuse_dialects(schema)
    finally:
        _left.reset(token)


@contextmanager
def budget(most: int = MAX_CHECKS) -> Iterator[Callable[[], int]]:
    """So many checks for all that is done within; budgets within it are part of it. Given is what tells those spent."""
    outer = _left.get() if _within.get() else None
    start = most if outer is None else min(most, outer)
    tokens = _left.set(start), _within.set(True)
    try:
        yield lambda: start - _left.get()
    finally:
        spent = start - _left.get()
        _left.reset(tokens[0])
        _within.reset(tokens[1])
        if outer is not None:
            _left.set(outer - spent)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except Unresolvable as error:
        raise SchemaError(f"a reference leads nowhere: {error}") from error
    except RecursionError:
        raise SchemaError("it is nested too deeply, or refers to itself without end") from None


@cache
def _guarded(cls: Any) -> Any:
    """The class with every keyword counted, and patterns matched in bounded time."""
    keywords = {**cls.VALIDATORS, "pattern": _pattern, "uniqueItems": _unique(cls.VALIDATORS["uniqueItems"])}
    counted = {name: _counted(check) for name, check in keywords.items()}
    return extend(cls, counted)  # type: ignore[no-untyped-call]


def _counted(check: Check) -> Check:
    def spending(validator: Any, wanted: Any, value: Any, schema: Any) -> Any:
        _spend(1)
        return check(validator, wanted, value, schema)

    return spending


def _spend(count: int) -> None:
    left = _left.get() - count
    _left.set(left)
    if left < 0:
        raise TooCostlyError("the schema asks for too much work on this value")


def _pattern(validator: Any, wanted: str, value: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "string") and not patterns.search(wanted, value, _spend):
        yield ValidationError(f"{value!r} does not match {wanted!r}")


def _unique(check: Check) -> Check:
    """Items that can't be sorted are compared all with all."""

    def costly(validator: Any, wanted: Any, value: Any, schema: Any) -> Any:
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            _spend(len(value) ** 2 // 16)
        return check(validator, wanted, value, schema)

    return costly


def _additional(check: Check) -> Check:
    """As it is, but by name: jsonschema goes through a set, and the first error is the one that is told."""

    def ordered(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
        if not isinstance(wanted, dict) or not isinstance(value, dict):
            yield from check(validator, wanted, value, schema)
            return
        for name in sorted(find_additional_properties(value, schema), key=str):
            yield from validator.descend(value[name], wanted, path=name)

    return ordered


def _refuse_dialects(schema: Any, depth: int = 0) -> None:
    """A part with a `$schema` of its own would be checked by another class, without the budget.

    Names of properties are matched by Python itself, so only simple patterns may describe them.
    """
    if depth > MAX_DEPTH:
        raise SchemaError("it is nested too deeply, or refers to itself without end")
    _spend(PART)
    if isinstance(schema, Mapping):
        if depth and isinstance(schema.get("$schema"), str):
            raise SchemaError("$schema may stand at the top only")
        _refuse_costly_names(schema.get("patternProperties"))
    for part in _parts(schema):
        _refuse_dialects(part, depth + 1)


def _parts(schema: Any) -> Iterable[Any]:
    if isinstance(schema, Mapping):
        return schema.values()
    return schema if isinstance(schema, list) else ()


def _refuse_costly_names(described: Any) -> None:
    for pattern in described if isinstance(described, Mapping) else ():
        if isinstance(pattern, str) and not patterns.is_simple(pattern):
            raise TooCostlyError(f"the pattern {pattern!r} for names of properties could take too long")


# In the classes themselves: what checks a schema against the schema of schemas is looked up by name.
for _dialect in ["3", "4", "6", "7", "201909", "202012"]:
    _known = getattr(validators, f"Draft{_dialect}Validator").VALIDATORS
    _known["additionalProperties"] = _additional(_known["additionalProperties"])
