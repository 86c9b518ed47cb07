"""What a wait asks in all: the entry's declared answers with what code says of this wait over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wippy_console.services.questions.signals import texts_of

OF_QUESTIONS = (
    "title", "text", "due", "priority", "assign", "follow_up", "escalate", "lapse", "guest", "notify",
)  # fmt: skip
"""What may be said of a question as a whole: in `meta.question`, by a signal, or in code."""

_OF_SIGNALS = ("label", "tone", "description", "schema", "payload", "reason", "role", "via", "quorum", "default")

Item = Mapping[str, Any]


def extended(
    items: Sequence[Item], ask: Item | None, channel: str, meta: Mapping[str, Any], first: int
) -> tuple[list[Item], dict[str, Any]]:
    """The answers of one wait and what is said of its question; indexes of answers that code adds begin at `first`."""
    found = list(items)
    if ask is not None:
        for number, made in enumerate(_made(ask, channel, bool(items))):
            found = _over(found, made, first + number)
        found = [_common(item, ask) for item in found]
    options: dict[str, Any] = {}
    for source in (*reversed(found), _of_entry(meta), ask or {}):
        options |= {name: source[name] for name in OF_QUESTIONS if name in source and source[name] is not None}
    return found, options


def _of_entry(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    said = meta.get("question")
    return {"text": said} if isinstance(said, str) else said if isinstance(said, Mapping) else {}


def _made(ask: Item, channel: str, declared: bool) -> Iterator[dict[str, Any]]:
    """The answers that code names: its own items, or a payload by each label; else one, where nothing is declared."""
    signals, payloads = ask.get("signals"), ask.get("payloads")
    for item in signals if isinstance(signals, list) else ():
        if isinstance(item, Mapping):
            yield {**item, "topic": channel or item.get("topic") or "answer"}
    for label, payload in payloads.items() if isinstance(payloads, Mapping) else ():
        yield {"topic": channel, "label": label, "payload": payload}
    if not (signals or payloads or declared):
        yield {"topic": channel, "label": ask.get("label") or "Answer"}


def _over(items: Sequence[Item], made: Mapping[str, Any], index: int) -> list[Item]:
    """An answer of a declared label changes that one, any other is added."""
    same = [item for item in items if item.get("topic") == made["topic"] and item.get("label") == made.get("label")]
    if not same:
        return [*items, {**made, "index": index}]
    return [{**item, **made, "index": item["index"]} if item is same[0] else item for item in items]


def _common(item: Item, ask: Item) -> dict[str, Any]:
    """What is said once for all answers holds for those that say nothing themselves; candidates are all replaced."""
    shared = {name: ask[name] for name in _OF_SIGNALS if name in ask and name not in item}
    users, groups = [*texts_of(ask, "users"), *texts_of(ask, "assignees")], texts_of(ask, "groups")
    if users or groups:
        shared |= {"users": users, "groups": groups, "role": ""}
    return {**item, **shared}
