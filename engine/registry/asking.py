"""What a wait asks of people: shapes of `meta.signals`, `meta.question` and `process.listen(topic, {ask = ...})`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from engine.bounded import schemas
from engine.bounded.schema_parts import with_objects
from engine.registry import shapes, storable
from engine.registry.kinds import FLAG, FREE, NAME, TEXT, TEXTS, Schema, mapping, one_of
from engine.registry.problems import Problem

LONGEST_TOPIC = 500
LONGEST_LABEL = 200
MAX_ASK = 64 * 1024
"""Bytes of JSON that code may ask at once."""
MOST_PROBLEMS = 20
MOST_CHECKS = 30_000
CHECK, VALUE, BYTES = 6, 6, 50
"""Microseconds that a check of a schema takes, about, and any value; and how many bytes take one."""

SPAN: Schema = {
    "type": ["string", "number"],
    "format": "lifetime",
    "exclusiveMinimum": 0,
    "maximum": 9 * 10**12,
    "x-hint": "a number is milliseconds",
}
PATH: Schema = {"type": "string", "format": "path", "maxLength": 500}
EITHER: Schema = {"type": "string", "minLength": 1, "format": "path or name", "maxLength": 500}
QUORUM = mapping(
    "approve",
    approve={"type": "integer", "minimum": 1},
    reject={"type": "integer", "minimum": 1},
    of=TEXTS,
    self=FLAG,
)
_NOTICE = mapping(
    who=TEXTS,
    when={"type": "array", "items": one_of("asked", "due_soon", "overdue", "escalated", "failed", "exit")},
    how={"type": "array", "items": one_of("email", "webhook", "chat", "browser")},
)
NOTIFY: Schema = {**_NOTICE, "type": ["object", "array"], "items": _NOTICE}

_OF_ANSWERS: Mapping[str, Schema] = {
    "description": TEXT,
    "schema": FREE,
    "role": {**TEXT, "maxLength": 150},
    "reason": one_of("required", "optional", "none"),
    "tone": one_of("positive", "negative", "neutral"),
    "users": TEXTS,
    "via": one_of("signal", "update"),
    "quorum": QUORUM,
}
_OF_WAITS: Mapping[str, Schema] = {
    "due": SPAN,
    "priority": {"type": "integer", "minimum": 0, "maximum": 100},
    "assign": PATH,
    "follow_up": SPAN,
    "escalate": mapping("after", "to", after=SPAN, to=NAME),
    "lapse": SPAN,
    "guest": PATH,
    "notify": NOTIFY,
}
_FOUND_BY_CODE: Mapping[str, Schema] = {"assign": EITHER, "guest": EITHER}
"""Code may say whom, where an entry can only say where the first argument has it."""
_SIGNAL: Mapping[str, Schema] = {
    "topic": {**NAME, "maxLength": LONGEST_TOPIC},
    "label": {**NAME, "maxLength": LONGEST_LABEL},
    "description": TEXT,
    "payload": FREE,
    **_OF_ANSWERS,
    "default": FLAG,
    **_OF_WAITS,
}
SIGNAL = mapping("topic", **_SIGNAL)
"""An item of `meta.signals`."""

QUESTION: Schema = {**mapping(title=TEXT, text=TEXT, **_OF_WAITS), "type": ["string", "object"]}
"""`meta.question`: a text, or what holds for all that the entry asks."""

ASK = mapping(
    title=TEXT,
    text=TEXT,
    payloads={"type": "object"},
    signals={"type": "array", "items": mapping(groups=TEXTS, **{**_SIGNAL, **_FOUND_BY_CODE})},
    assignees=TEXTS,
    groups=TEXTS,
    label=_SIGNAL["label"],
    payload=FREE,
    **{**_OF_ANSWERS, **_OF_WAITS, **_FOUND_BY_CODE},
)
"""`ask` of `process.listen`: an item of `meta.signals` and a question at once; `payloads` makes a signal of each."""


def check_meta(meta: Mapping[str, Any]) -> Iterator[Problem]:
    """What shapes don't show of `meta.signals` and `meta.question`."""
    question, given = meta.get("question"), meta.get("signals")
    signals = _mappings(given)
    is_due = isinstance(question, Mapping) and "due" in question
    yield from _check_signals(signals, "meta.signals", is_due=is_due)
    for topic, count in Counter(_topic(each) for each in signals.values() if each.get("default") is True).items():
        if count > 1:
            text = f"{count} answers of the topic `{topic}` have `default: true`, and only one can be given"
            yield Problem(text, field="meta.signals")


@dataclass(frozen=True, slots=True)
class ReadAsk:
    """What code asks, as JSON text with sorted keys, of use when no problem (in fields below `ask`) is an error.

    `work` is the time that it took, about, in microseconds.
    """

    text: str = ""
    problems: tuple[Problem, ...] = ()
    work: int = 0


def read_ask(value: Any) -> ReadAsk:
    """Read what code asks; an empty table of Lua's is a mapping where one must be. The work is bounded."""
    if not isinstance(value, Mapping) and value != []:
        return _refused("must be a table with named fields")
    if unstorable := tuple(islice(storable.check(value, "ask"), 1)):
        return ReadAsk(problems=unstorable)
    ask = _settled(value, ASK) or {}
    text = _json(ask)
    if (size := len(text.encode())) > MAX_ASK:
        return _refused(f"has {size} bytes of JSON, and {MAX_ASK} is the most")
    with schemas.budget(MOST_CHECKS) as spent:
        problems = _first(_check_ask(ask))
        return ReadAsk(text, problems, size // BYTES + VALUE * _count(ask) + CHECK * spent())


def _refused(why: str) -> ReadAsk:
    return ReadAsk(problems=(Problem(why, field="ask"),))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _count(value: Any) -> int:
    match value:
        case dict():
            return 1 + sum(map(_count, value.values()))
        case list():
            return 1 + sum(map(_count, value))
    return 1


def _schemas(ask: Mapping[str, Any]) -> Iterator[Any]:
    yield from (each["schema"] for each in (ask, *_mappings(ask.get("signals")).values()) if "schema" in each)


def _first(problems: Iterator[Problem]) -> tuple[Problem, ...]:
    """So many of them, errors before warnings; to look for the nearest names of many unknown ones takes long."""
    found = list(islice(problems, MOST_PROBLEMS))
    if len(found) == MOST_PROBLEMS:
        found.append(Problem(f"has {MOST_PROBLEMS} problems or more, such as {found[0]}", field="ask"))
    return tuple(sorted(found, key=lambda problem: problem.severity))


def _settled(value: Any, schema: Schema) -> Any:
    """The value with mappings for the empty tables of Lua's that must be some, and whole numbers where they must be."""
    match value:
        case float() if value.is_integer() and schema.get("type") == "integer":
            return int(value)
        case [] if "object" in schema.get("type", ()) and "array" not in schema.get("type", ()):
            return {}
        case list():
            return [_settled(each, schema.get("items", FREE)) for each in value]
        case dict():
            known = schema.get("properties", {})
            return {key: _settled_field(key, each, known.get(key, FREE)) for key, each in value.items()}
    return value


def _settled_field(name: str, value: Any, schema: Schema) -> Any:
    match name, value:
        case "schema", _:
            return with_objects(value)
        case "payload", []:
            return {}
        case "payloads", dict():
            return {label: {} if payload == [] else payload for label, payload in value.items()}
    return _settled(value, schema)


def _check_ask(ask: Mapping[str, Any]) -> Iterator[Problem]:
    if any('"$anchor"' in text or '"$dynamicAnchor"' in text for text in map(_json, _schemas(ask))):
        yield Problem("a schema that code asks by may refer by paths only, not by anchors", field="ask.schema")
        return
    yield from shapes.check(ask, ASK, "ask")
    yield from _check_answer(ask, "ask")
    signals, payloads = _mappings(ask.get("signals")), ask.get("payloads")
    yield from _check_signals(signals, "ask.signals", is_due="due" in ask)
    if sum(each.get("default") is True for each in signals.values()) > 1:
        yield Problem("only one answer can have `default = true`", field="ask.signals")
    for label, payload in payloads.items() if isinstance(payloads, Mapping) else ():
        yield from _check_payload(label, payload, has_quorum="quorum" in ask)


def _check_payload(label: str, payload: Any, *, has_quorum: bool) -> Iterator[Problem]:
    if not 1 <= len(label) <= LONGEST_LABEL:
        yield Problem(f"a label has 1 to {LONGEST_LABEL} letters", field="ask.payloads")
    if has_quorum:
        yield from _check_constant(payload, f"ask.payloads.{label}")


def _check_signals(signals: Mapping[int, Mapping[str, Any]], path: str, *, is_due: bool) -> Iterator[Problem]:
    is_due = is_due or any("due" in signal for signal in signals.values())
    for index, signal in signals.items():
        yield from _check_answer(signal, f"{path}.{index}")
        if signal.get("default") is True and not is_due:
            yield Problem("needs `due`: the time at which this answer is given", field=f"{path}.{index}.default")


def _check_answer(signal: Mapping[str, Any], path: str) -> Iterator[Problem]:
    if _topic(signal).startswith("@"):
        yield Problem("a topic must not begin with @", field=f"{path}.topic")
    if "schema" in signal and (wrong := shapes.schema_problem(signal["schema"])):
        yield Problem(wrong, field=f"{path}.schema")
    if "quorum" in signal and "payload" in signal:
        yield from _check_constant(signal["payload"], f"{path}.payload")


def _check_constant(payload: Any, field: str) -> Iterator[Problem]:
    if not isinstance(payload, Mapping):
        yield Problem("must be a mapping: the votes of the quorum are put into it", field=field)


def _mappings(given: Any) -> dict[int, Mapping[str, Any]]:
    """Those of a list, by index; what else stands there is told by its shape."""
    items: Sequence[Any] = given if isinstance(given, list | tuple) else ()
    return {index: each for index, each in enumerate(items) if isinstance(each, Mapping)}


def _topic(signal: Mapping[str, Any]) -> str:
    topic = signal.get("topic")
    return topic if isinstance(topic, str) else ""
