"""Entries as files again: what a folder must hold so that applying it gives the registry.

What the folder holds already is changed in place, so that comments, order and style of its YAML stay.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from engine.bounded import yaml_graph
from engine.entry import Entry, without_nulls
from engine.registry import tree as trees
from engine.registry import writing
from engine.registry.changes import same
from engine.registry.problems import Problem, errors_in
from engine.registry.texts import fields
from engine.registry.tree import FILE_SCHEME, MAX_YAML, Tree

_OWN_FILE = ".lua"
_MAX_NAME = 100
_ROUNDS = 5
"""In place, plainly, without what can't be written; and what that entails."""
_OF_ITEMS = frozenset(("name", "kind", "source"))
_OF_FILES = _OF_ITEMS | {"namespace", "version"}


class ExportError(Exception):
    """The folder can't take the entries; `problems` say why."""

    def __init__(self, problems: Iterable[Problem], message: str = "can't be read as a whole") -> None:
        super().__init__(message)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Exported:
    """What to write to which path, None for a file to delete; files that stay as they are do not appear.

    `refused` tells of each entry that no file can hold: the folder keeps what it has of it.
    """

    files: Mapping[str, str | None]
    refused: tuple[Problem, ...] = ()


def export(files: Mapping[str, str | bytes], entries: Mapping[str, Entry]) -> Exported:
    """What makes the files hold the entries: it has been read again, and found equal.

    What a change in place does not bring back is written anew, without its comments. Raises ExportError when the
    files can't be read as a whole.
    """
    tree = trees.parse(files)
    if found := [each for each in errors_in(tree.problems) if each.file]:  # a folder without any index is empty
        raise ExportError(found)
    wanted = {each: without_nulls(entry) for each, entry in entries.items()}
    plain: frozenset[str] = frozenset()
    refused: dict[str, Problem] = {}
    lost: dict[str, Problem] = {}
    for _ in range(_ROUNDS):
        written = _Export(files, tree, wanted, plain).changed()
        lost = _lost(_After(files, written), wanted)
        if not lost:
            return Exported(written, tuple(refused[each] for each in sorted(refused)))
        given_up = _given_up({each: found for each, found in lost.items() if each in plain}, wanted)
        refused |= given_up
        wanted = _kept(wanted, tree, given_up)
        plain = (plain | lost.keys()) - given_up.keys()
    raise ExportError(lost.values(), "what would be written does not read back")


def _given_up(lost: Mapping[str, Problem], wanted: Mapping[str, Entry]) -> dict[str, Problem]:
    """Of entries that were lost though they were written plainly: those that no file can hold, else all."""
    alone = {each: wanted[each] for each in lost if each in wanted}
    hopeless: dict[str, Problem] = {}
    for each, entry in alone.items():
        found = _lost(_After({}, _Export({}, Tree(), {each: entry}).changed()), {each: entry})
        hopeless |= {each: found[each]} if each in found else {}
    return hopeless or dict(lost)


def _kept(wanted: Mapping[str, Entry], tree: Tree, refused: Iterable[str]) -> dict[str, Entry]:
    """The entries, but of the refused ones what the folder has."""
    gone = frozenset(refused)
    return {
        **{each: entry for each, entry in wanted.items() if each not in gone},
        **{each: tree.entries[each] for each in gone if each in tree.entries},
    }


class _After(Mapping[str, str | bytes]):
    """The files as they will be, as far as `apply` looks at them."""

    def __init__(self, files: Mapping[str, str | bytes], written: Mapping[str, str | None]) -> None:
        self._files = files
        self._written = written
        new = {path for path in written if all(trees.is_read(part) for part in path.split("/"))}
        self._paths = {path for path in {*files, *new} if written.get(path, "") is not None}

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, path: str) -> str | bytes:
        if path not in self._paths:
            raise KeyError(path)
        text = self._written.get(path)
        return self._files[path] if text is None else text.encode(errors="surrogatepass")


def _lost(files: _After, wanted: Mapping[str, Entry]) -> dict[str, Problem]:
    """What the files do not say, and what they say beyond, by entry."""
    tree = trees.parse(files)
    errors = [each for each in errors_in(tree.problems) if each.file]
    broken = {each.file: each.message for each in reversed(errors)}
    told = {each.entry_id: each.message for each in reversed(errors)}
    found: dict[str, Problem] = {}
    for each in sorted(wanted.keys() | tree.entries.keys()):
        origin = tree.origins.get(each)
        if not (origin and origin.file in broken) and same(tree.entries.get(each), wanted.get(each)):
            continue
        why = told.get(each) or broken.get(origin.file if origin else "") or next(iter(broken.values()), "")
        message = f"can't be written so that `apply` reads it back{f': {why}' if why else ''}"
        found[each] = Problem(message, entry_id=each)
    if broken and not found:
        found[""] = Problem(next(iter(broken.values())), file=next(iter(broken)))
    return found


class _Export:
    """Collects the new contents of files; the `plain` entries are written anew, whatever the files hold of them."""

    def __init__(
        self,
        files: Mapping[str, str | bytes],
        tree: Tree,
        entries: Mapping[str, Entry],
        plain: frozenset[str] = frozenset(),
    ) -> None:
        self.files = files
        self.tree = tree
        self.entries = entries
        self.plain = plain
        self.written: dict[str, str | None] = {}
        self.sources = Counter(origin.source_file for each, origin in tree.origins.items() if each in entries)

    def changed(self) -> dict[str, str | None]:
        for file, ids in self._by_file().items():
            if any(self._differs(each) for each in ids):
                self._rewrite(file, ids)
        for namespace, new in self._new().items():
            self._append(namespace, new, self._list_of(namespace))
        self._drop_sources()
        return {path: text for path, text in self.written.items() if text != self._text(path)}

    def _by_file(self) -> dict[str, list[str]]:
        grouped: defaultdict[str, list[str]] = defaultdict(list)
        for entry_id, origin in self.tree.origins.items():
            grouped[origin.file].append(entry_id)
        return grouped

    def _differs(self, entry_id: str) -> bool:
        wanted = self.entries.get(entry_id)
        return wanted is None or entry_id in self.plain or not same(self.tree.entries[entry_id], wanted)

    def _text(self, path: str) -> str | None:
        return trees.decode(self.files[path], MAX_YAML) if path in self.files else None

    # --- what the folder holds --------------------------------------------------------------------

    def _rewrite(self, file: str, ids: list[str]) -> None:
        """In place; where ruamel fails at what the reader of files takes, anew."""
        before = dict(self.written)
        try:
            self._rewrite_in_place(file, ids)
        except yaml_graph.BROKEN:
            self.written = before
            self._rewrite_plainly(file, ids)

    def _rewrite_in_place(self, file: str, ids: list[str]) -> None:
        text = self._text(file) or ""
        yaml = writing.round_trip(text)
        head = yaml.load(text)
        if "entries" not in head:
            self._rewrite_single(file, yaml, head, ids[0])
        elif not any(each in self.entries for each in ids):
            self.written[file] = _head(head["namespace"])
        else:
            self._rewrite_items(head["entries"], head["namespace"], file)
            self.written[file] = writing.dumped(yaml, head)

    def _rewrite_items(self, items: Any, namespace: str, file: str) -> None:
        for at in reversed(range(len(items))):
            entry_id = f"{namespace}:{items[at]['name']}"
            if entry_id not in self.entries:
                del items[at]
            elif entry_id in self.plain:
                items[at] = self._item(self.entries[entry_id], file)
            elif self._differs(entry_id):
                self._update(items[at], entry_id, file, _OF_ITEMS)

    def _rewrite_single(self, file: str, yaml: YAML, head: Any, entry_id: str) -> None:
        if entry_id not in self.entries:
            self.written[file] = None
        elif entry_id in self.plain:
            self._rewrite_plainly(file, [entry_id])
        else:
            self._update(head, entry_id, file, _OF_FILES)
            self.written[file] = writing.dumped(yaml, head)

    def _rewrite_plainly(self, file: str, ids: list[str]) -> None:
        self.written[file] = None
        if held := [self.entries[each] for each in ids if each in self.entries]:
            self.written[file] = self._listing(_head(held[0].namespace), held, file)

    def _update(self, item: Any, entry_id: str, file: str, own: frozenset[str]) -> None:
        """Make one mapping of a file mean the entry; what it means already stays as it is written."""
        old, new = self.tree.entries[entry_id], self.entries[entry_id]
        if old.kind != new.kind:
            item["kind"] = new.kind
        writing.merge(item, fields(old), fields(new), own)
        source, written = new.data.get("source"), item.get("source")
        if not isinstance(source, str):
            self._set_no_text(item, source)
        elif old.data.get("source") == source:
            return
        elif isinstance(written, str) and written.startswith(FILE_SCHEME):
            item["source"] = self._in_a_file(new, source, file)
        else:
            self._set_source(item, new, source, file)

    @staticmethod
    def _set_no_text(item: Any, source: Any) -> None:
        if source is not None:
            item["source"] = source
        elif "source" in item:
            del item["source"]

    def _set_source(self, item: Any, entry: Entry, source: str, file: str) -> None:
        """A source as it is written in YAML; one that no block can hold exactly gets a file of its own."""
        item["source"] = (
            LiteralScalarString(source) if _fits_a_block(source) else self._in_a_file(entry, source, file)
        )  # fmt: skip

    def _in_a_file(self, entry: Entry, source: str, file: str) -> str:
        """Write a source to the file that is the entry's alone, or to a new one; returns what names it."""
        if source.startswith("\ufeff"):  # readers of files take it for a mark
            return source
        path = self._own_source_file(entry.id) or self._free(posixpath.join(posixpath.dirname(file), _file_name(entry)))
        self.written[path] = source
        return FILE_SCHEME + posixpath.relpath(path, posixpath.dirname(file) or ".")

    def _own_source_file(self, entry_id: str) -> str:
        origin = self.tree.origins.get(entry_id)
        path = origin.source_file if origin and origin.source_file != origin.file else ""
        return path if self.sources[path] == 1 else ""

    # --- what it does not hold --------------------------------------------------------------------

    def _new(self) -> dict[str, list[Entry]]:
        grouped: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry_id, entry in sorted(self.entries.items()):
            if entry_id not in self.tree.origins:
                grouped[entry.namespace].append(entry)
        return grouped

    def _append(self, namespace: str, new: list[Entry], file: str) -> None:
        """Add entries to a list, or to several files where one would be too large to be read."""
        before = self.written.get(file) or self._text(file)
        text = self._listing(before or _head(namespace), new, file)
        if len(text.encode(errors="surrogatepass")) <= MAX_YAML or (before is None and len(new) == 1):
            self.written[file] = text
            return
        half = len(new) // 2
        for part in (new[:half], new[half:]):
            if part:
                self._append(namespace, part, file if len(new) > 1 else self._free(self._index(namespace)))
                file = self._free(self._index(namespace))

    def _listing(self, text: str, new: Iterable[Entry], file: str) -> str:
        yaml = writing.round_trip(text)
        head = yaml.load(text)
        if not head.get("entries"):
            head["entries"] = []
        for entry in new:
            head["entries"].append(self._item(entry, file))
        return writing.dumped(yaml, head)

    def _item(self, entry: Entry, file: str) -> dict[str, Any]:
        item: dict[str, Any] = {"name": entry.name, "kind": entry.kind}
        source = entry.data.get("source")
        if source is not None:
            item["source"] = self._in_a_file(entry, source, file) if isinstance(source, str) else source
        return {**item, **fields(entry)}

    def _list_of(self, namespace: str) -> str:
        """The file that lists entries of the namespace, or a new one in a folder that is named like it."""
        held = {origin.file for each, origin in self.tree.origins.items() if each.startswith(f"{namespace}:")}
        for file in sorted(held):
            if self.written.get(file, "") is not None and re.search(r"^entries:", self._text(file) or "", re.MULTILINE):
                return file
        return self._free(self._index(namespace))

    @staticmethod
    def _index(namespace: str) -> str:
        parts = (part for part in namespace.split(".") if part)
        return posixpath.join(*(part if trees.is_read(part) else f"{part}_" for part in parts), "_index.yaml")

    def _free(self, path: str) -> str:
        """The path, or one like it that no other file has."""
        stem, extension = posixpath.splitext(path)
        number = 1
        while path in self.files or path in self.written:
            number += 1
            path = f"{stem}_{number}{extension}"
        return path

    def _drop_sources(self) -> None:
        """Lua files of entries that are gone, unless others use them."""
        for entry_id, origin in self.tree.origins.items():
            if entry_id not in self.entries and origin.source_file not in (origin.file, "", *self.sources):
                self.written[origin.source_file] = None


def _head(namespace: str) -> str:
    return f'version: "1.0"\nnamespace: {namespace}\n\nentries:\n'


def _file_name(entry: Entry) -> str:
    """A file beside the index for the source of an entry of that name, whatever dots and slashes it holds."""
    stem = "_".join(part for part in entry.name.split("/") if part.strip("."))
    return (stem.lstrip(".")[:_MAX_NAME] or "source") + _OWN_FILE


def _fits_a_block(source: str) -> bool:
    """Whether a literal block gives back the very text: blocks fold CR, and refuse what YAML can't print."""
    return source.endswith("\n") and not re.search(r"[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]", source) and (
        not source.startswith((" ", "\n", "\t"))
    )  # fmt: skip
