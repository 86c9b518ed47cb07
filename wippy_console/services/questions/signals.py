"""Reads `meta.signals` of an entry: what it may be asked, as the author declared it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from engine.contracts.catalog import Catalog
from engine.entry import Entry
from wippy_console.models import Question, Run
from wippy_console.services import registry
from wippy_console.services.errors import NotFoundError

ReasonRule = Literal["required", "optional", "none"]
CODED = 1000
"""From here on count the answers that code adds to what the entry declares."""
_REASONS = ("required", "optional", "none")


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many votes send a signal, how many against it end the vote, and who may vote (groups or users).

    `own`: whether whoever started the run may.
    """

    approve: int = 1
    reject: int = 1
    of: tuple[str, ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """One item of `meta.signals`, or of what code asks. `index` names it within its question.

    `schema` is the JSON Schema of the form or None (no form fields); `payload` are the declared constants; members of
    `roles` (groups) and `users` may send it, where neither is given everybody who may answer.
    """

    index: int
    topic: str
    label: str
    tone: str = "neutral"
    description: str = ""
    schema: Mapping[str, Any] | None = None
    payload: Any = None
    reason: ReasonRule = "optional"
    roles: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    via: str = "signal"
    quorum: Quorum | None = None
    default: bool = False


def declared(meta: Mapping[str, Any]) -> list[Signal]:
    """The signals in the order of their declaration."""
    return read(items_of(meta))


def items_of(meta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same as they are written, each with its `index`; items without a topic are left out."""
    signals = meta.get("signals")
    items = signals if isinstance(signals, list) else []
    return [
        {**item, "index": index}
        for index, item in enumerate(items)
        if isinstance(item, Mapping) and text_of(item, "topic")
    ]


def read(items: Iterable[Mapping[str, Any]]) -> list[Signal]:
    """Signals as a question keeps them."""
    return [_signal(item) for item in items]


def of(question: Question) -> list[Signal]:
    """The answers that may be given to the question."""
    return read(question.signals)


def voters_of(signal: Signal, among: Iterable[Signal]) -> tuple[str, ...]:
    """The groups and users whose votes count: for a signal of nobody's in particular those of its topic's quorum."""
    if signal.quorum is not None or signal.roles or signal.users:
        return signal.quorum.of if signal.quorum is not None else ()
    return next((each.quorum.of for each in among if each.quorum is not None and each.topic == signal.topic), ())


def signals_of(run: Run) -> list[Signal]:
    """What the run's entry declares."""
    return declared(meta_of(run))


def meta_of(run: Run) -> Mapping[str, Any]:
    """What the run's entry says of people, as it stood when the run began."""
    return _as_begun(run, _published)


def ever_of(run: Run) -> list[Signal]:
    """The same with what its code asked so far: all that a message to it may have been sent by."""
    asked = Question.objects.filter(run_id=run.pk).values_list("signals", flat=True)
    coded = [item for items in asked for item in items if item.get("index", 0) >= CODED]
    return [*signals_of(run), *read(coded)]


def meta_in(catalog: Catalog, run: Run) -> Mapping[str, Any]:
    """What the run's entry says of people, for a node, whose catalog keeps versions in memory."""
    return _as_begun(run, lambda entry_id, at: catalog.entry_at(entry_id, at) if at else catalog.entry(entry_id))


def _as_begun(run: Run, find: Callable[[str, int | None], Entry | None]) -> Mapping[str, Any]:
    """By the entry as it stood when the run began, else as it is now."""
    entry = find(run.entry_id, run.registry_version) if run.registry_version else None
    entry = entry or find(run.entry_id, None)
    return entry.meta if entry else {}


def _published(entry_id: str, at: int | None) -> Entry | None:
    try:
        return registry.entry(entry_id, at=at)
    except NotFoundError:
        return None


def _signal(item: Mapping[str, Any]) -> Signal:
    topic, schema, index = text_of(item, "topic"), item.get("schema"), item.get("index")
    return Signal(
        index=index if isinstance(index, int) else 0,
        topic=topic,
        label=text_of(item, "label") or topic,
        tone=text_of(item, "tone") or "neutral",
        description=text_of(item, "description"),
        schema=schema if isinstance(schema, Mapping) else None,
        payload=item.get("payload"),
        reason=_reason(item.get("reason")),
        roles=tuple(filter(None, [text_of(item, "role"), *texts_of(item, "groups")])),
        users=tuple(texts_of(item, "users")),
        via="update" if item.get("via") == "update" else "signal",
        quorum=_quorum(item.get("quorum")),
        default=item.get("default") is True,
    )


def _quorum(found: Any) -> Quorum | None:
    if not isinstance(found, Mapping):
        return None
    return Quorum(
        approve=_count(found.get("approve")),
        reject=_count(found.get("reject")),
        of=tuple(texts_of(found, "of")),
        own=found.get("self") is True,
    )


def _count(found: Any) -> int:
    return found if isinstance(found, int) and found > 0 else 1


def text_of(item: Mapping[str, Any], key: str) -> str:
    """The text of that name, "" for anything else."""
    found = item.get(key)
    return found if isinstance(found, str) else ""


def texts_of(item: Mapping[str, Any], key: str) -> list[str]:
    """The texts of that name; one alone may stand without a list."""
    found = item.get(key)
    listed = found if isinstance(found, list | tuple) else [found]
    return [each for each in listed if isinstance(each, str) and each]


def _reason(found: Any) -> ReasonRule:
    """YAML reads a bare `none` as text but `no` and `false` as false: both mean that no reason is asked."""
    if found is False:
        return "none"
    if found is True:
        return "required"
    return cast("ReasonRule", found) if found in _REASONS else "optional"
