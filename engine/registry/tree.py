"""A tree of files becomes entries: `_index.yaml` files, other YAML that carries `namespace`, `file://` sources."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.entry import Entry, without_nulls
from engine.registry import documents
from engine.registry.documents import Document
from engine.registry.problems import Problem, Severity, in_order
from engine.registry.words import did_you_mean

INDEX = ("_index.yaml", "_index.yml")
MAX_YAML = 1 << 20
MAX_SOURCE = 1 << 20
FILE_SCHEME = "file://"
SKIPPED = frozenset({"node_modules", "__pycache__"})
HEAD = ("version", "namespace", "entries", "meta")


def is_read(name: str) -> bool:
    """Whether files and folders of that name are looked at; hidden ones and those of other tools are not."""
    return not name.startswith(".") and name not in SKIPPED


class UnreadableError(Exception):
    """Raised by a mapping of files for one that it can't give; the text says why."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an entry was written. `lines` maps dotted field paths ("" = the entry) to lines of `file`.

    Line 1 of the Lua text is line `source_line` of `source_file`.
    """

    file: str
    lines: Mapping[str, int] = field(default_factory=dict)
    source_file: str = ""
    source_line: int = 1

    def line(self, path: str) -> int | None:
        """The line of the field, or of the nearest that holds it."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path)


@dataclass(frozen=True, slots=True)
class Tree:
    """What the files say. `entries` holds every entry that could be read, whatever else is wrong."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    namespaces: frozenset[str] = frozenset()
    """Those that the files hold, also without an entry."""

    def locate(self, problem: Problem) -> Problem:
        """The problem of an entry with the file and line where it stands; others are returned unchanged."""
        origin = self.origins.get(problem.entry_id)
        if origin is None or problem.file:
            return problem
        if problem.field == "source" and problem.line is not None:
            return replace(problem, file=origin.source_file, line=origin.source_line + problem.line - 1)
        return replace(problem, file=origin.file, line=origin.line(problem.field))


def parse(files: Mapping[str, str | bytes]) -> Tree:
    """Read a tree of files: a mapping from relative paths (with "/") to contents. Never raises.

    Only YAML files and the sources that they name are looked up, so the mapping may be lazy; it may raise
    `UnreadableError`. A YAML file without `namespace` is none of ours, unless it is called `_index.yaml`.
    """
    reader = _Reader(files)
    for path in sorted(files):
        if path.endswith((".yaml", ".yml")):
            reader.read_yaml(path)
    if not reader.indexes and not reader.problems:
        reader.problems.append(Problem("there is no `_index.yaml` and no other YAML file with a `namespace`"))
    return Tree(reader.entries, reader.origins, in_order(reader.problems), frozenset(reader.namespaces))


def decode(content: str | bytes, limit: int) -> str:
    """The text of a file, at most `limit` bytes of UTF-8; raises UnreadableError."""
    if len(content) > limit:
        raise UnreadableError(f"larger than {limit // 1024} KiB")
    try:
        return content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UnreadableError(f"not UTF-8 text: byte 0x{error.object[error.start]:02x} in line {line}") from None


_Lines = Mapping[documents.Path, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One YAML file of ours."""

    file: str
    document: Document
    namespace: str

    def line(self, *path: str | int) -> int | None:
        return self.document.lines.get(path)


class _Reader:
    """Collects entries, origins and problems, file after file."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.files = files
        self.indexes = 0
        self.entries: dict[str, Entry] = {}
        self.origins: dict[str, Origin] = {}
        self.problems: list[Problem] = []
        self.namespaces: set[str] = set()

    def read_yaml(self, path: str) -> None:
        try:
            text = decode(self.files[path], MAX_YAML)
        except UnreadableError as error:
            severity: Severity = "error" if posixpath.basename(path) in INDEX else "warning"
            self.problems.append(Problem(f"can't be read: {error}", file=path, severity=severity))
            return
        document = documents.load(text, path)
        if self._is_ours(path, text, document):
            self.indexes += 1
            self.problems.extend(document.problems)
            self._read_index(path, document)

    @staticmethod
    def _is_ours(path: str, text: str, document: Document) -> bool:
        if posixpath.basename(path) in INDEX:
            return True
        if document.value is None and document.problems:
            return any(line.startswith("namespace:") for line in text.splitlines())
        return isinstance(document.value, dict) and "namespace" in document.value

    def _read_index(self, path: str, document: Document) -> None:
        head = document.value
        if not isinstance(head, dict):
            if not document.problems:
                self._problem("must hold a mapping with `namespace` and `entries`", path, 1)
            return
        namespace = head.get("namespace")
        if not isinstance(namespace, str) or not namespace:
            message = "`namespace` must be text" if "namespace" in head else "`namespace` is missing"
            self._problem(message, path, document.lines.get(("namespace",), 1))
            return
        self.namespaces.add(namespace)
        sheet = _Sheet(path, document, namespace)
        if "entries" in head or not ({"name", "kind"} & set(head)):
            self._read_list(sheet, head)
        else:
            own = {key: value for key, value in head.items() if key not in ("version", "namespace")}
            self._read_entry(sheet, own, (), _lines(document, 0))

    def _read_list(self, sheet: _Sheet, head: Mapping[str, Any]) -> None:
        for key in head:
            if key not in HEAD:
                message, hint = f"unknown key `{key}` beside `entries`", did_you_mean(key, HEAD)
                line = sheet.line(key)
                self.problems.append(Problem(message, file=sheet.file, line=line, hint=hint, severity="warning"))
        entries = head.get("entries")
        if not isinstance(entries, list | None):
            self._problem("`entries` must be a list", sheet.file, sheet.line("entries"))
            return
        lines = _lines(sheet.document, 2)
        for index, raw in enumerate(entries or ()):
            self._read_entry(sheet, raw, ("entries", index), lines)

    def _read_entry(self, sheet: _Sheet, raw: Any, at: documents.Path, lines: _Lines) -> None:
        if not isinstance(raw, dict):
            self._problem("an entry must be a mapping with `name` and `kind`", sheet.file, sheet.line(*at))
            return
        wrong = [key for key in ("name", "kind") if not isinstance(raw.get(key), str) or not raw[key]]
        for key in wrong:
            subject = f" of `{raw['name']}`" if isinstance(raw.get("name"), str) else ""
            message = f"`{key}`{subject} must be text" if raw.get(key) is not None else f"`{key}`{subject} is missing"
            self._problem(message, sheet.file, sheet.line(*at, key) or sheet.line(*at))
        if not wrong:
            entry = self._entry(sheet, raw, at)
            source_line = sheet.document.texts.get((*at, "source"), lines[at].get("source", 1))
            self._add(entry, Origin(sheet.file, lines[at], sheet.file, source_line))

    def _entry(self, sheet: _Sheet, raw: Mapping[str, Any], at: documents.Path) -> Entry:
        entry_id, meta = f"{sheet.namespace}:{raw['name']}", raw.get("meta")
        if not isinstance(meta, dict | None):
            self._problem("`meta` must be a mapping", sheet.file, sheet.line(*at, "meta"), entry_id)
            meta = None
        own = {key: value for key, value in raw.items() if key not in ("name", "kind", "meta")}
        return without_nulls(Entry(entry_id, raw["kind"], meta or {}, own))

    def _add(self, entry: Entry, origin: Origin) -> None:
        first = self.origins.get(entry.id)
        if first is not None:
            self._problem(f"defined before, in {first.file}:{first.line('')}", origin.file, origin.line(""), entry.id)
            return
        source = entry.data.get("source")
        if isinstance(source, str) and source.startswith(FILE_SCHEME):
            target = _resolve(origin.file, source.removeprefix(FILE_SCHEME))
            text = self._read_source(entry.id, origin, source, target)
            entry = replace(entry, data=_with_source(entry.data, text))
            origin = replace(origin, source_file=target or origin.file, source_line=1)
        self.entries[entry.id] = entry
        self.origins[entry.id] = origin

    def _read_source(self, entry_id: str, origin: Origin, source: str, target: str | None) -> str | None:
        try:
            if target is None:
                raise UnreadableError("leaves the tree")
            if target not in self.files:
                raise UnreadableError("no such file")
            return decode(self.files[target], MAX_SOURCE)
        except (UnreadableError, KeyError) as error:
            message = f"can't read {source}: {error}"
            self._problem(message, origin.file, origin.line("source"), entry_id, "source")
            return None

    def _problem(self, message: str, file: str, line: int | None = None, entry_id: str = "", where: str = "") -> None:
        self.problems.append(Problem(message, entry_id=entry_id, field=where, file=file, line=line))


def _lines(document: Document, size: int) -> _Lines:
    """The lines of each entry by dotted field; an entry is named by the first `size` steps of its path."""
    grouped: defaultdict[documents.Path, dict[str, int]] = defaultdict(dict)
    for path, line in document.lines.items():
        grouped[path[:size]][".".join(map(str, path[size:]))] = line
    return grouped


def _resolve(file: str, relative: str) -> str | None:
    """The path of a source relative to its YAML file's folder, None when it leaves the tree."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(file), relative))
    return None if path.startswith(("/", "../")) or path in ("..", ".") or "\0" in path else path


def _with_source(data: Mapping[str, Any], text: str | None) -> dict[str, Any]:
    return {
        key: text if key == "source" else value for key, value in data.items() if key != "source" or text is not None
    }


def located(tree: Tree, problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The tree's own problems and those of its validation with their places, in order.

    Of a source that could not be read, only that is reported, and not what its absence entails.
    """
    unread = {problem.entry_id for problem in tree.problems if problem.field == "source"}
    found = (problem for problem in problems if problem.field != "source" or problem.entry_id not in unread)
    return in_order([*tree.problems, *map(tree.locate, found)])
