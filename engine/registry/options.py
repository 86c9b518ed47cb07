"""The options that an entry gives its calls, activities and runs (`meta.options`), by the names that hosts read.

They stand below a prefix, as nested mappings or in names with dots: `activity: {summary: x}`, `activity.summary: x`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.registry import shapes
from engine.registry.kinds import DURATION, FLAG, FREE, NAME, TEXT, TEXTS, Schema, mapping, one_of
from engine.registry.problems import Problem
from engine.registry.words import names

_FACTOR: Schema = {"type": "number", "minimum": 0}
_TABLE: Schema = {"type": "object"}
_INTENT = one_of("unspecified", "compatible", "inherit_build_id", "default", "use_assignment_rules")
_POLICY: Mapping[str, Schema] = {
    "initial_interval": DURATION,
    "backoff_coefficient": {"type": "number", "minimum": 1},
    "maximum_interval": DURATION,
    "maximum_attempts": {"type": "integer", "minimum": 0},
    "non_retryable_error_types": TEXTS,
}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


RETRY_POLICY = mapping(**_POLICY, **{_camel(name): schema for name, schema in _POLICY.items()})
PRIORITY: Schema = {"type": ["integer", "object"], "minimum": 1}
RETRY = mapping(
    max_attempts={"type": "integer", "minimum": 0},
    initial_delay=DURATION,
    max_delay=DURATION,
    backoff_factor=_FACTOR,
    jitter=_FACTOR,
    retry_kinds=TEXTS,
    skip_kinds=TEXTS,
)
CALL = mapping(timeout=DURATION, retry=RETRY, default_host=NAME)
"""What stands below no prefix."""
ACTIVITY = mapping(
    **dict.fromkeys(
        names("schedule_to_close_timeout schedule_to_start_timeout start_to_close_timeout heartbeat_timeout"), DURATION
    ),
    **dict.fromkeys(names("local wait_for_cancellation disable_eager_execution"), FLAG),
    **dict.fromkeys(names("id name task_queue summary"), TEXT),
    retry_policy=RETRY_POLICY,
    priority=PRIORITY,
    versioning_intent=_INTENT,
)
WORKFLOW = mapping(
    **dict.fromkeys(names("execution_timeout run_timeout task_timeout start_delay"), DURATION),
    **dict.fromkeys(names("execution_error_when_already_started enable_eager_start wait_for_cancellation"), FLAG),
    **dict.fromkeys(names("id name task_queue namespace summary details"), TEXT),
    retry_policy=RETRY_POLICY,
    priority=PRIORITY,
    cron_schedule={"type": "string", "format": "cron"},
    memo=_TABLE,
    search_attributes=_TABLE,
    id_conflict_policy=one_of("use_existing", "fail", "terminate_existing"),
    id_reuse_policy=one_of("allow_duplicate", "allow_duplicate_failed_only", "reject_duplicate"),
    parent_close_policy=one_of("terminate", "abandon", "request_cancel"),
    versioning_override=FREE,
    versioning_intent=_INTENT,
)
SECTIONS: Mapping[str, Schema] = {
    "temporal.activity": ACTIVITY,
    "temporal.workflow": WORKFLOW,
    "activity": ACTIVITY,
    "workflow": WORKFLOW,
}


def check(options: Mapping[str, Any], prefix: str = "meta.options") -> Iterator[Problem]:
    """What no host would take (errors), and what none reads (warnings)."""
    rest = _without_nulls(options)
    for section, schema in SECTIONS.items():
        found, rest = _taken(rest, section)
        yield from shapes.check(found, schema, f"{prefix}.{section}")
    for problem in shapes.check(rest, CALL, prefix):
        hint = problem.hint if problem.hint.startswith("did you") else f"{problem.hint}; activity.*, workflow.*"
        yield replace(problem, hint=hint) if problem.severity == "warning" else problem


def where_it_belongs(field: str) -> str:
    """A hint for an option that was written beside `worker` in `meta.temporal`, "" for any other field."""
    section, _, name = field.removeprefix("meta.").rpartition(".")
    if section not in ("temporal.activity", "temporal.workflow") or name not in SECTIONS[section]["properties"]:
        return ""
    return (
        "" if name == "local" else f"options stand in `meta.options`, as `{section.removeprefix('temporal.')}.{name}`"
    )


def _taken(options: Mapping[str, Any], section: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stands below a prefix, and the options without it."""
    nested, rest = _cut(options, section.split("."))
    flat = {key: value for key, value in rest.items() if key.startswith(f"{section}.")}
    found = {**_without_nulls(nested), **{key.removeprefix(f"{section}."): value for key, value in flat.items()}}
    return found, {key: value for key, value in rest.items() if key not in flat}


def _cut(options: Mapping[str, Any], parts: list[str]) -> tuple[Mapping[str, Any], dict[str, Any]]:
    first, *others = parts
    inner = options.get(first)
    if not isinstance(inner, Mapping):
        return {}, dict(options)
    rest = {key: value for key, value in options.items() if key != first}
    if not others:
        return inner, rest
    found, left = _cut(inner, others)
    return found, {**rest, **({first: left} if left else {})}


def _without_nulls(options: Mapping[str, Any]) -> dict[str, Any]:
    """None is an option that is not given."""
    return {key: value for key, value in options.items() if value is not None}
