"""What `${env:NAME}` in entries means, and the registry as hosts read it: with all of that filled in."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.asks.env import EnvAsks
from engine.contracts.catalog import Catalog
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.program import Program
from engine.registry import kinds
from engine.registry.placeholders import decoded

logger = logging.getLogger(__name__)


class Variables(Mapping[str, str]):
    """Variables by name or entry id: those that entries declare, else those of the process environment."""

    def __init__(self, declared: EnvAsks, environ: Mapping[str, str]) -> None:
        self._declared = declared
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        value = self._declared.value_of(name)
        return self._environ[name] if value is None else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


class Noted(Mapping[str, str]):
    """Variables, each looked up once; `values_by_name` has those that were asked for, None for one that is not set."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.values_by_name: dict[str, str | None] = {}
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        if name not in self.values_by_name:
            self.values_by_name[name] = self._variables.get(name)
        value = self.values_by_name[name]
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


@dataclass(frozen=True, slots=True)
class Decoded:
    """An entry with its placeholders filled in, and the values that it was filled in with."""

    written: Entry
    full: Entry
    values: Mapping[str, str | None]

    def holds(self, written: Entry, variables: Mapping[str, str]) -> bool:
        """Whether filling in would give the same again."""
        return self.written is written and all(variables.get(name) == value for name, value in self.values.items())


class DecodedCatalog:
    """A catalog whose entries have their placeholders filled in as they are asked for.

    Kinds in `kinds.FILLED` stay as they are written: the parts that read those know more variables. `entry` and
    `entry_at` raise UnitFailed for an entry that names a variable which is not set; `entries` and `state`, which are
    about others as well, hold it as it is written, and `entries` says so in the log.
    """

    def __init__(self, written: Catalog, variables: Mapping[str, str]) -> None:
        self._written = written
        self._variables = variables
        self._known: dict[str, Decoded] = {}  # by id, the last one
        self._told: dict[str, str] = {}  # by id, what the log says of it

    def entry(self, entry_id: str) -> Entry | None:
        """The entry in the current registry version, or None."""
        entry = self._written.entry(entry_id)
        return entry and self._decoded(entry)

    def entry_at(self, entry_id: str, version: int) -> Entry | None:
        """The entry as it stood in that registry version, or None."""
        entry = self._written.entry_at(entry_id, version)
        return entry and self._decoded(entry)

    def written_at(self, entry_id: str, version: int) -> Entry | None:
        """The entry as it was written in that registry version, or None."""
        return self._written.entry_at(entry_id, version)

    def state(self, version: int) -> Mapping[str, Entry]:
        """All entries of a version by id, as they are written."""
        return self._written.state(version)

    def entries(self, kind: str) -> list[Entry]:
        """All entries of one kind, by id."""
        return [self._tried(entry) for entry in self._written.entries(kind)]

    def current(self, entry_id: str) -> Program:
        """The program of the entry in the current version."""
        return self._written.current(entry_id)

    def pinned(self, digest: str) -> Program:
        """The program of that digest."""
        return self._written.pinned(digest)

    def version(self) -> int:
        """The number of the current registry version."""
        return self._written.version()

    def _decoded(self, entry: Entry) -> Entry:
        if not kinds.has_placeholders(entry.kind) or entry.kind in kinds.FILLED:
            return entry
        known = self._known.get(entry.id)
        if known is None or not known.holds(entry, self._variables):
            noted = Noted(self._variables)
            full = decoded(entry, noted)
            known = self._known[entry.id] = Decoded(entry, full, noted.values_by_name)
        return known.full

    def _tried(self, entry: Entry) -> Entry:
        try:
            full = self._decoded(entry)
        except UnitFailed as error:
            self._tell(entry, error.failure.message)
            return entry
        self._told.pop(entry.id, None)
        return full

    def _tell(self, entry: Entry, problem: str) -> None:
        """Once for each problem: lists are asked for at all times."""
        if self._told.get(entry.id) != problem:
            self._told[entry.id] = problem
            logger.warning("%s; in lists it stays as it is written", problem)
