"""YAML text as plain JSON-like values that know their lines; nothing in the text can run, expand or blow up.

ruamel composes the node graph; the values are built here, because its constructors keep no lines of plain
values, expand aliases without a limit and make objects (dates, sets, tags) that a registry can't keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.bounded import yaml_graph
from engine.bounded.yaml_graph import MAX_DEPTH
from engine.registry.problems import Problem

MAX_VALUES = 100_000
MAX_DIGITS = 400
TAG = "tag:yaml.org,2002:"

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file. `lines` maps paths into `value` to 1-based lines, `texts` block scalars to their first line."""

    value: Any = None
    lines: Mapping[Path, int] = field(default_factory=dict)
    texts: Mapping[Path, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def load(text: str, file: str) -> Document:
    """Read one YAML document; whatever is wrong with it becomes a problem, and `value` holds the rest."""
    try:
        node = yaml_graph.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _broken(file, error.problem or error.context or "not valid YAML", mark.line + 1 if mark else None)
    except yaml_graph.BROKEN as error:
        return _broken(file, str(error).partition("\n")[0] or "not valid YAML", None)
    builder = _Builder(file)
    value = builder.value(node, ()) if node is not None else None
    return Document(value, builder.lines, builder.texts, tuple(builder.problems))


def _broken(file: str, message: str, line: int | None) -> Document:
    return Document(problems=(Problem(f"not valid YAML: {message}", file=file, line=line),))


class _Builder:
    """Builds the plain value of a node graph, within limits, collecting lines and problems."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}
        self.texts: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self.left = MAX_VALUES
        self.scalars = yaml_graph.scalars()

    def value(self, node: Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self.left -= 1
        if self.left < 0 or len(path) > MAX_DEPTH:
            return self._too_much(node, path)
        match node:
            case MappingNode() if node.tag == TAG + "map":
                return self._mapping(node, path)
            case SequenceNode() if node.tag == TAG + "seq":
                return self._sequence(node, path)
            case ScalarNode():
                return self._scalar(node, path)
            case _:
                self._problem(node, f"the tag `{str(node.tag).removeprefix(TAG)}` is not supported here")
                return None

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        inherited: dict[str, Any] = {}
        for key, child in node.value:
            if key.tag == TAG + "merge":
                inherited = {**self._merged(child, path), **inherited}
            elif not isinstance(key, ScalarNode):
                self._problem(key, "a key must be a plain value")
            elif key.value in result:
                self._problem(key, f"the key `{key.value}` stands here twice")
            else:
                self.lines[*path, key.value] = key.start_mark.line + 1
                result[key.value] = self.value(child, (*path, key.value))
        return {**inherited, **result}

    def _merged(self, node: Node, path: Path) -> dict[str, Any]:
        """What `<<: *base` or `<<: [*a, *b]` brings; of several, the first wins."""
        merged: dict[str, Any] = {}
        for base in node.value if isinstance(node, SequenceNode) else [node]:
            self.left -= 1
            if self.left < 0 or len(path) >= MAX_DEPTH:
                self._too_much(base, (*path, "<<"))
            elif isinstance(base, MappingNode):
                merged = {**self._mapping(base, (*path, "<<")), **merged}
            else:
                self._problem(base, "`<<` must name a mapping")
        return merged

    def _sequence(self, node: SequenceNode, path: Path) -> list[Any]:
        return [self.value(child, (*path, index)) for index, child in enumerate(node.value)]

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        if node.style in ("|", ">"):
            self.texts[path] = node.start_mark.line + 2
        match str(node.tag).removeprefix(TAG):
            case "str" | "timestamp" | "merge" | "value":
                return node.value
            case "null":
                return None
            case "bool" | "int" | "float" as kind:
                return self._number(node, kind)
            case tag:
                self._problem(node, f"the tag `{tag}` is not supported here")
                return None

    def _number(self, node: ScalarNode, kind: str) -> Any:
        try:
            if len(node.value) > MAX_DIGITS:
                raise ValueError("too many digits")
            return getattr(self.scalars, f"construct_yaml_{kind}")(node)
        except yaml_graph.BROKEN:
            self._problem(node, f"not a valid {kind}: {node.value[:40]}")
            return None

    def _too_much(self, node: Node, path: Path) -> None:
        what = f"nested deeper than {MAX_DEPTH} levels" if len(path) > MAX_DEPTH else f"over {MAX_VALUES} values"
        if not any(what in problem.message for problem in self.problems):
            self._problem(node, f"the document is too large: {what}, aliases counted in full")

    def _problem(self, node: Node, message: str) -> None:
        self.problems.append(Problem(message, file=self.file, line=node.start_mark.line + 1))
