"""Entries as files again: what a folder must hold so that applying it gives the registry.

What the folder holds already is changed in place, so that comments, order and style of its YAML stay.
"""

from __future__ import annotations

import io
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import LiteralScalarString

from engine.entry import Entry
from engine.registry import tree as trees
from engine.registry.changes import same, spelled
from engine.registry.problems import Problem, errors_in
from engine.registry.texts import fields
from engine.registry.tree import FILE_SCHEME, MAX_YAML, Tree

_OWN_FILE = ".lua"
_ITEM = re.compile(r"^entries:[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)- ", re.MULTILINE)


class ExportError(Exception):
    """The folder can't take the entries; `problems` say why."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        super().__init__("the folder has problems of its own")
        self.problems = tuple(problems)


def export(files: Mapping[str, str | bytes], entries: Mapping[str, Entry]) -> dict[str, str | None]:
    """What to write to which path, None for a file to delete; files that stay as they are do not appear.

    Raises ExportError when the files can't be read as a whole.
    """
    tree = trees.parse(files)
    if found := [each for each in errors_in(tree.problems) if each.file]:  # a folder without any index is empty
        raise ExportError(found)
    return _Export(files, tree, entries).changed()


class _Export:
    """Collects the new contents of files."""

    def __init__(self, files: Mapping[str, str | bytes], tree: Tree, entries: Mapping[str, Entry]) -> None:
        self.files = files
        self.tree = tree
        self.entries = entries
        self.written: dict[str, str | None] = {}
        self.sources = {origin.source_file for each, origin in tree.origins.items() if each in entries}

    def changed(self) -> dict[str, str | None]:
        for file, ids in self._by_file().items():
            if any(self._differs(each) for each in ids):
                self._rewrite(file, ids)
        for namespace, new in self._new().items():
            self._append(namespace, new)
        self._drop_sources()
        return {path: text for path, text in self.written.items() if text != self._text(path)}

    def _by_file(self) -> dict[str, list[str]]:
        grouped: defaultdict[str, list[str]] = defaultdict(list)
        for entry_id, origin in self.tree.origins.items():
            grouped[origin.file].append(entry_id)
        return grouped

    def _differs(self, entry_id: str) -> bool:
        wanted = self.entries.get(entry_id)
        return wanted is None or not same(self.tree.entries[entry_id], wanted)

    def _text(self, path: str) -> str | None:
        return trees.decode(self.files[path], MAX_YAML) if path in self.files else None

    # --- what the folder holds --------------------------------------------------------------------

    def _rewrite(self, file: str, ids: list[str]) -> None:
        text = self._text(file) or ""
        yaml = _round_trip(text)
        head = yaml.load(text)
        if "entries" not in head:
            self._rewrite_single(file, yaml, head, ids[0])
            return
        items, namespace = head["entries"], head["namespace"]
        for at in reversed(range(len(items))):
            entry_id = f"{namespace}:{items[at]['name']}"
            if entry_id not in self.entries:
                del items[at]
            elif self._differs(entry_id):
                self._update(items[at], entry_id, file)
        self.written[file] = _dumped(yaml, head)

    def _rewrite_single(self, file: str, yaml: YAML, head: Any, entry_id: str) -> None:
        if entry_id not in self.entries:
            self.written[file] = None
            return
        self._update(head, entry_id, file)
        self.written[file] = _dumped(yaml, head)

    def _update(self, item: Any, entry_id: str, file: str) -> None:
        """Make one mapping of a file mean the entry; what it means already stays as it is written."""
        old, new = self.tree.entries[entry_id], self.entries[entry_id]
        item["kind"] = new.kind
        _merge(item, fields(old), fields(new), frozenset(("name", "kind", "source", "namespace", "version")))
        source, written = new.data.get("source"), item.get("source")
        if not isinstance(source, str):
            item.pop("source", None)
        elif isinstance(written, str) and written.startswith(FILE_SCHEME):
            self.written[self.tree.origins[entry_id].source_file] = source
        elif old.data.get("source") != source:
            self._set_source(item, source, file)

    def _set_source(self, item: Any, source: str, file: str) -> None:
        """A source as it is written in YAML; one that no block can hold exactly gets a file of its own."""
        if _fits_a_block(source):
            item["source"] = LiteralScalarString(source)
        else:
            path = self._free(posixpath.join(posixpath.dirname(file), _file_name(item["name"])))
            self.written[path] = source
            item["source"] = FILE_SCHEME + posixpath.relpath(path, posixpath.dirname(file) or ".")

    # --- what it does not hold --------------------------------------------------------------------

    def _new(self) -> dict[str, list[Entry]]:
        grouped: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry_id, entry in sorted(self.entries.items()):
            if entry_id not in self.tree.origins:
                grouped[entry.namespace].append(entry)
        return grouped

    def _append(self, namespace: str, new: list[Entry]) -> None:
        file = self._list_of(namespace)
        text = self.written.get(file) or self._text(file) or f'version: "1.0"\nnamespace: {namespace}\n\nentries:\n'
        yaml = _round_trip(text)
        head = yaml.load(text)
        if not head.get("entries"):
            head["entries"] = []
        for entry in new:
            head["entries"].append(self._item(entry, file))
        self.written[file] = _dumped(yaml, head)

    def _item(self, entry: Entry, file: str) -> dict[str, Any]:
        item: dict[str, Any] = {"name": entry.name, "kind": entry.kind}
        if isinstance(source := entry.data.get("source"), str):
            path = self._free(posixpath.join(posixpath.dirname(file), _file_name(entry.name)))
            self.written[path] = source
            item["source"] = FILE_SCHEME + posixpath.relpath(path, posixpath.dirname(file) or ".")
        return {**item, **fields(entry)}

    def _list_of(self, namespace: str) -> str:
        """The file that lists entries of the namespace, or a new one in a folder that is named like it."""
        held = {origin.file for each, origin in self.tree.origins.items() if each.startswith(f"{namespace}:")}
        for file in sorted(held):
            if self.written.get(file, "") is not None and re.search(r"^entries:", self._text(file) or "", re.MULTILINE):
                return file
        folder = posixpath.join(*(part for part in namespace.split(".") if part))
        return self._free(posixpath.join(folder, "_index.yaml"))

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


def _file_name(name: str) -> str:
    """A file beside the index for the source of an entry of that name, whatever dots and slashes it holds."""
    return "_".join(part for part in re.split(r"[/]+", name) if part.strip(".")) + _OWN_FILE


def _fits_a_block(source: str) -> bool:
    """Whether a literal block gives back the very text: blocks fold CR, and refuse what YAML can't print."""
    return source.endswith("\n") and not re.search(r"[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]", source) and (
        not source.startswith((" ", "\n", "\t"))
    )  # fmt: skip


class _Float(float):
    """A float as it was written: ruamel would write some of them with other digits."""

    text: str


class _Constructor(RoundTripConstructor):
    def construct_yaml_float(self, node: Any) -> Any:
        value = super().construct_yaml_float(node)
        if node.anchor:
            return value
        made = _Float(value)
        made.text = node.value
        return made


class _Representer(RoundTripRepresenter):
    def written_float(self, value: _Float) -> Any:
        return self.represent_scalar("tag:yaml.org,2002:float", value.text)


_Constructor.add_constructor("tag:yaml.org,2002:float", _Constructor.construct_yaml_float)
_Representer.add_representer(_Float, _Representer.written_float)


def _round_trip(text: str) -> YAML:
    """A reader and writer that keeps comments, quotes and the way in which the file indents its list."""
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor, yaml.Representer = _Constructor, _Representer
    yaml.preserve_quotes = True
    yaml.width = 4096
    item = _ITEM.search(text)
    offset = len(item[1]) if item else 2
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml


def _dumped(yaml: YAML, head: Any) -> str:
    out = io.StringIO()
    yaml.dump(head, out)
    return out.getvalue()


def _merge(node: Any, old: Any, new: Mapping[str, Any], kept: frozenset[str] = frozenset()) -> None:
    """Change a mapping of the file, which means `old`, until it means `new`."""
    for key in [key for key in node if key not in new and key not in kept]:
        del node[key]
    for key, value in new.items():
        before = old.get(key) if isinstance(old, Mapping) else None
        if key in node and spelled(before) == spelled(value):
            continue
        # What has an anchor stands elsewhere, too: there it stays.
        if isinstance(value, Mapping) and isinstance(before, Mapping) and _is_own(node.get(key)):
            _merge(node[key], before, value)
        else:
            node[key] = value


def _is_own(part: Any) -> bool:
    return isinstance(part, CommentedMap) and part.anchor.value is None
