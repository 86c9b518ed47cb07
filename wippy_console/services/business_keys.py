"""What an entry says of its runs to people: keys by which they are found, and a line that tells what one is about.

Both come from the first argument, without what `meta.mask` hides: lists and search show everybody the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.entry import Entry
from wippy_console.database.storable import storable_text
from wippy_console.models import Run
from wippy_console.models.runs import lines
from wippy_console.services import masking, paths, summaries

MOST_KEYS = 20


def keys_of(meta: Mapping[str, Any], given: Any) -> dict[str, str]:
    """What stands at each path of `meta.search` in the value, as text; what is not there, or hidden, is left out."""
    found = {path: paths.at(given, path) for path in _texts(meta, "search")[:MOST_KEYS]}
    spoken = {path: paths.spoken(value) for path, value in found.items() if value is not paths.MISSING}
    return {path: storable_text(text) for path, text in spoken.items() if masking.MASK not in text}


def shown_of(meta: Mapping[str, Any], given: Any) -> Any:
    """The value without what the entry itself masks."""
    return masking.masked(given, _texts(meta, "mask"))


def line_of(path: str, text: str) -> str:
    """A key as it is searched, and as it is written in Temporal's search attributes: `order.id=42`."""
    return f"{path.removeprefix('$').removeprefix('.')}={text}"


def describe(run: Run, meta: Mapping[str, Any] | None, given: Any) -> None:
    """Write into the run's row what it is about, and what it is found by; no `meta`: its ids alone."""
    about = meta or {}
    shown = masking.masked(shown_of(about, given), masking.of_entry(run.entry_id, run.registry_version))
    run.keys = keys_of(about, shown)
    run.summary = storable_text(summaries.of(about, [shown]))[: summaries.LONGEST]
    title = about.get("title")
    ids = [run.workflow_id, run.run_id, run.entry_id, title if isinstance(title, str) else "", run.summary]
    run.search = lines([*map(storable_text, ids), *(line_of(path, text) for path, text in run.keys.items())])


def forget_masked(before: Mapping[str, Entry], after: Mapping[str, Entry], touched: Iterable[str]) -> None:
    """Of entries that now mask more, let rows show no key until the worker that leads has described them anew.

    Until then they are found by their ids alone (`runs.searching`): to write what is searched takes long.
    """
    more = [each for each in touched if _masks(after.get(each)) - _masks(before.get(each))]
    if more:
        Run.objects.filter(entry_id__in=more).update(keys=None, summary="")


def _masks(entry: Entry | None) -> set[str]:
    return set(_texts(entry.meta, "mask")) if entry else set()


def _texts(meta: Mapping[str, Any], name: str) -> list[str]:
    """The paths; one alone may stand without a list."""
    found = meta.get(name)
    listed = found if isinstance(found, list | tuple) else [found]
    return [each for each in listed if isinstance(each, str) and each]
