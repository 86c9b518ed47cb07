"""What the suite publishes: the helper entries of `entries/`, and each case as an entry per kind of unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.check import check_source
from engine.entry import Entry
from engine.registry.problems import Problem, errors_in
from engine.registry.sources import Source
from engine.registry.tree import located, parse
from engine.registry.validate import validate
from tests.conformance.parsing import Case

FOLDER = Path(__file__).parent / "entries"
_checked: dict[str, Source] = {}


@dataclass(frozen=True, slots=True)
class Application:
    """Entries by id, as the registry would publish them, and what forbids publishing others, by topic."""

    entries: dict[str, Entry]
    refused: dict[str, list[Problem]]


def helpers() -> tuple[dict[str, Entry], list[Problem]]:
    """The helper entries, and every error in them."""
    files = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in FOLDER.rglob("*") if path.is_file()}
    tree = parse(files)
    return dict(tree.entries), errors_in(located(tree, validate(tree.entries, check_source)))


def application(cases: Iterable[Case]) -> Application:
    """The helpers and the cases; a topic with errors is left out, so that it spoils no other."""
    published, _ = helpers()
    shared = dict(published)
    refused: dict[str, list[Problem]] = {}
    for topic, entries in _by_topic(cases).items():
        found = errors_in(validate(shared | entries, _check_once, touched=entries))
        if problems := [problem for problem in found if problem.entry_id in entries]:
            refused[topic] = problems
        else:
            published |= entries
    return Application(published, refused)


def _check_once(source: str, entry_id: str) -> Source:
    """Check a source for the first entry that has it: each topic's is that of all its cases."""
    if source not in _checked:
        _checked[source] = check_source(source, entry_id)
    return _checked[source]


def _by_topic(cases: Iterable[Case]) -> dict[str, dict[str, Entry]]:
    found: dict[str, dict[str, Entry]] = {}
    for case in cases:
        own = found.setdefault(case.topic.name, {})
        own |= {case.entry_id(unit): entry_of(case, unit) for unit in case.units}
    return found


def entry_of(case: Case, unit: str) -> Entry:
    """The entry that runs a case as a function, process or workflow."""
    data = {"source": case.topic.source, "method": case.name, "modules": list(case.modules)}
    return Entry(case.entry_id(unit), f"{unit}.lua", {"title": case.behaviour}, data)
