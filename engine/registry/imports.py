"""The graph of imports: what an entry brings along, cycles, and the modules that it may use by that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from engine.entry import Entry
from engine.registry import kinds, module_names
from engine.registry.problems import Problem
from engine.registry.references import imports, required_services
from engine.registry.words import did_you_mean, listed

Entries = Mapping[str, Entry]


def reachable(entry_id: str, entries: Entries) -> dict[str, tuple[str, ...]]:
    """The entry and all that it imports, directly or not; each with the shortest way to it, both ends included."""
    ways: dict[str, tuple[str, ...]] = {entry_id: (entry_id,)}
    queue = [entry_id]
    for current in queue:
        for target in imports(entries[current]).values() if current in entries else ():
            if target in entries and target not in ways:
                ways[target] = (*ways[current], target)
                queue.append(target)
    return ways


def importers(changed: Iterable[str], entries: Entries) -> set[str]:
    """The changed entries and all that import one of them, directly or not."""
    used_by: dict[str, list[str]] = {}
    for entry in entries.values():
        for target in imports(entry).values():
            used_by.setdefault(target, []).append(entry.id)
    found = set(changed)
    queue = list(found)
    for current in queue:
        fresh = [each for each in used_by.get(current, ()) if each not in found]
        found.update(fresh)
        queue.extend(fresh)
    return found


def check(entries: Entries) -> Iterator[Problem]:
    """Import cycles, cycles of services that wait for each other, and modules that an entry may not use."""
    yield from _check_cycles(entries, lambda entry: imports(entry).values(), "imports", "imports itself in a circle")
    yield from _check_cycles(entries, _services, "lifecycle", "waits for itself in a circle")
    for entry in entries.values():
        if entry.kind in kinds.LUA:
            yield from _check_modules(entry)
        if entry.kind == "workflow.lua":
            yield from _check_workflow(entry, entries)


def _services(entry: Entry) -> list[str]:
    return [reference.target for reference in required_services(entry)]


def _check_cycles(
    entries: Entries, successors: Callable[[Entry], Iterable[str]], field: str, what: str
) -> Iterator[Problem]:
    for cycle in cycles({entry.id: [*successors(entry)] for entry in entries.values()}):
        path = " -> ".join([*cycle, cycle[0]])
        yield Problem(f"{what}: {path}", entry_id=cycle[0], field=field)


def cycles(graph: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """Cycles of the graph, enough of them that without them there is none; each begins with its smallest id."""
    done: set[str] = set()
    found = (cycle for start in sorted(graph) if start not in done for cycle in _walk(start, graph, done))
    return list(dict.fromkeys(found))


def _walk(start: str, graph: Mapping[str, Iterable[str]], done: set[str]) -> Iterator[tuple[str, ...]]:
    """Depth first, without recursion: chains of imports may be longer than Python's stack."""
    path = {start: iter(sorted(graph[start]))}
    while path:
        current = next(reversed(path))
        successor = next(path[current], None)
        if successor is None:
            del path[current]
            done.add(current)
        elif successor in path:
            yield _rotated(path, successor)
        elif successor in graph and successor not in done:
            path[successor] = iter(sorted(graph[successor]))


def _rotated(path: Iterable[str], start: str) -> tuple[str, ...]:
    nodes = [*path]
    nodes = nodes[nodes.index(start) :]
    first = nodes.index(min(nodes))
    return (*nodes[first:], *nodes[:first])


def _listed_modules(entry: Entry) -> list[tuple[int, str]]:
    names = entry.data.get("modules")
    numbered = enumerate(names if isinstance(names, list) else ())
    return [(index, name) for index, name in numbered if isinstance(name, str)]


def _check_modules(entry: Entry) -> Iterator[Problem]:
    """Modules that are not here: the entry loads all the same, and `require` of one raises."""
    for index, name in _listed_modules(entry):
        if name in module_names.PROVIDED or (entry.kind == "workflow.lua" and name in module_names.FOREIGN):
            continue  # in a workflow it is an error, reported below
        message = f"the module `{name}` is not provided here: require finds nothing"
        near = did_you_mean(name, module_names.PROVIDED) or "a library is named in `imports`"
        hint = "" if name in module_names.FOREIGN else near
        yield Problem(message, entry_id=entry.id, field=f"modules.{index}", hint=hint, severity="warning")


def _check_workflow(entry: Entry, entries: Entries) -> Iterator[Problem]:
    for library, way in reachable(entry.id, entries).items():
        for index, name in _listed_modules(entries[library]):
            if name not in module_names.IN_WORKFLOWS and name in module_names.PROVIDED | module_names.FOREIGN:
                yield _not_in_workflows(entry, library, way, index, name)


def _not_in_workflows(entry: Entry, library: str, way: tuple[str, ...], index: int, name: str) -> Problem:
    if library == entry.id:
        field, through = f"modules.{index}", ""
    else:
        alias = next(alias for alias, target in imports(entry).items() if target == way[1])
        field, through = f"imports.{alias}", f", and {listed(way[1:])} brings it"
    hint = "call a function that uses it, by funcs.call"
    message = f"the module `{name}` is not allowed in a workflow{through}"
    return Problem(message, entry_id=entry.id, field=field, hint=hint)
