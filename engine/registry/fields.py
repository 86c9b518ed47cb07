"""Checks one entry by itself: id, kind, values, own fields, and what its meta tells the console."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.entry import Entry
from engine.registry import asking, hiding, kinds, options, placeholders, shapes, storable
from engine.registry.hooks import check as hooks
from engine.registry.kinds import FLAG, FREE, NAME, TEXT, TEXTS, mapping
from engine.registry.problems import Problem, errors_in
from engine.security.conditions import BadPolicyError
from engine.security.rules import Rule

MAX_ID = 500
MAX_KIND = 100
MAX_SIZE = 4 << 20
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_OF_WORKFLOWS = {
    "signals": "is asked for signals",
    "question": "is asked a question",
    "webhooks": "is started or signalled by requests: for a function write an `http.endpoint`",
}

META: kinds.Schema = {
    "type": "object",
    "properties": {
        "title": TEXT,
        "description": TEXT,
        "input_schema": FREE,
        "signals": {"type": "array", "items": asking.SIGNAL},
        "question": asking.QUESTION,
        "default_host": NAME,
        "options": {"type": "object"},
        "temporal": {
            "type": "object",
            "properties": {
                "activity": mapping(worker=NAME, local=FLAG),
                "workflow": mapping(worker=NAME, name=NAME),
            },
        },
    },
}
"""What the engine and the console read of `meta`; everything else in it is free."""
OF_PEOPLE: kinds.Schema = {
    "type": "object",
    "properties": {"notify": asking.NOTIFY, "search": TEXTS, "mask": TEXTS, "summary": TEXT},
}
"""What the console reads of entries that run: who hears of what, and which parts of the input are keys or masked."""


def check(entry: Entry) -> Iterator[Problem]:
    """Every problem of the entry alone, its Lua source and its references left out."""
    unstorable = list(_check_values(entry))
    found = unstorable or [*_check_kind(entry), *_check_own(entry), *_check_meta(entry)]
    for problem in [*_check_id(entry.id), *found]:
        yield replace(problem, entry_id=entry.id)


def _check_id(entry_id: str) -> Iterator[Problem]:
    namespace, colon, name = entry_id.partition(":")
    if not colon or not name or not namespace:
        yield Problem("an entry id is written `namespace:name`")
    elif not _NAMESPACE.fullmatch(namespace):
        yield Problem(f"the namespace `{namespace}` may hold letters, digits, `_`, `.` and `-` only")
    elif not _NAME.fullmatch(name):
        yield Problem(f"the name `{name}` may hold letters, digits, `_`, `.`, `/` and `-` only", field="name")
    if len(entry_id) > MAX_ID:
        yield Problem(f"an entry id may have {MAX_ID} letters, this one has {len(entry_id)}")


def _check_kind(entry: Entry) -> Iterator[Problem]:
    standing = kinds.standing(entry.kind)
    hint = f"did you mean `{standing.near}`?" if standing.near else ""
    if len(entry.kind) > MAX_KIND:
        yield Problem(f"a kind may have {MAX_KIND} letters", field="kind")
        return
    match standing.rank:
        case kinds.MALFORMED:
            hint = hint or "a kind is written like function.lua"
            yield Problem(f"`{entry.kind}` is no kind", field="kind", hint=hint)
        case kinds.FOREIGN:
            message = f"the kind `{entry.kind}` is unknown: the entry is kept, and nothing starts it"
            yield Problem(message, field="kind", hint=hint, severity="warning")


def _staying(value: Any, path: str) -> Iterator[Problem]:
    """A warning for each placeholder of a field by which runs find their way."""
    for where, _ in placeholders.found(value, path):
        text = "stays as it is written: what a run does must not hang on the environment"
        yield Problem(f"a placeholder {text}", field=where, severity="warning")


def _check_own(entry: Entry) -> Iterator[Problem]:
    data = _with_defaults(entry.data) if entry.kind in kinds.SCHEMAS else entry.data
    found = list(shapes.check(data, kinds.SCHEMAS.get(entry.kind, {"type": "object"})))
    yield from found
    if entry.kind in kinds.POLICIES and not errors_in(found):
        yield from _check_policy(entry.data["policy"])
    yield from hooks.check_alone(entry)
    if kinds.has_placeholders(entry.kind):
        yield from placeholders.check({key: each for key, each in entry.data.items() if key not in placeholders.KEPT})
    if entry.kind in kinds.FILLED:
        for field in kinds.ROUTES:
            yield from _staying(entry.data.get(field), field)


def _with_defaults(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is kept as it is written is checked as it is written."""
    kept = placeholders.KEPT
    return {key: each if key in kept else placeholders.with_defaults(each) for key, each in data.items()}


def _check_policy(policy: Mapping[str, Any]) -> Iterator[Problem]:
    """What its shape does not show: fields that conditions can't have, values that operators can't use."""
    try:
        Rule.read(policy)
    except BadPolicyError as error:
        yield Problem(str(error), field=f"policy.{error.field}")


def _check_meta(entry: Entry) -> Iterator[Problem]:
    meta = placeholders.with_defaults(entry.meta)
    for problem in shapes.check(meta, META, "meta"):
        yield replace(problem, hint=options.where_it_belongs(problem.field) or problem.hint)
    yield from _staying(entry.meta.get("temporal"), "meta.temporal")
    if entry.kind in kinds.EXECUTABLE:
        yield from shapes.check(meta, OF_PEOPLE, "meta")
        yield from hiding.check(meta)
    given = entry.meta.get("options")
    if entry.kind in kinds.EXECUTABLE and isinstance(given, Mapping):
        yield from options.check(placeholders.with_defaults(given))
    if "input_schema" in entry.meta and (wrong := shapes.schema_problem(entry.meta["input_schema"])):
        yield Problem(wrong, field="meta.input_schema")
    yield from asking.check_meta(entry.meta)
    for name, only in _OF_WORKFLOWS.items():
        if entry.meta.get(name) and entry.kind in kinds.SCHEMAS and entry.kind != "workflow.lua":
            text = f"only a `workflow.lua` {only}"
            yield Problem(text, field=f"meta.{name}", severity="warning")


def _check_values(entry: Entry) -> Iterator[Problem]:
    """Whether databases and Lua can hold the values: JSON, numbers of 64 bits, text without NUL, bounded."""
    found = [*storable.check(entry.meta, "meta"), *storable.check(entry.data)]
    yield from found
    if not found and len(json.dumps([entry.meta, entry.data], default=dict)) > MAX_SIZE:
        yield Problem(f"an entry may hold {MAX_SIZE >> 20} MiB")
