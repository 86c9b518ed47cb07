"""YAML for Lua (docs/lua.md#yaml): plain values only; aliases are counted in full, so that nothing blows up.

ruamel composes the graph of nodes; the values are built here, since its constructors expand merges without
a limit and make dates, sets and other objects that Lua can't hold.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from engine.bounded import yaml_graph
from engine.bounded.yaml_graph import MAX_DEPTH
from engine.errors import INTERNAL, Failure, UnitFailed
from engine.steps import Value

_MAX_DIGITS = 400
_TAG = "tag:yaml.org,2002:"


def _refuse(message: str) -> UnitFailed:
    return UnitFailed(Failure(INTERNAL, f"yaml: {message}", retryable=False))


def decode(text: str | bytes, most: int) -> Value:
    """The value of the one document in the text, of at most so many values. Takes up to 12 us a byte."""
    if isinstance(text, bytes):
        raise _refuse("the text is not valid UTF-8")
    try:
        node = yaml_graph.compose(text)
        return _Builder(most).value(node, 0) if node is not None else None
    except yaml_graph.BROKEN as error:
        raise _refuse(" ".join(str(error).split())[:300] or "not valid YAML") from None


class _Builder:
    """Builds the plain value of a graph of nodes, within limits."""

    def __init__(self, most: int) -> None:
        self._scalars = yaml_graph.scalars()
        self._most = self._left = most

    def value(self, node: Node, depth: int) -> Value:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise _refuse(f"over {self._most} values or {MAX_DEPTH} levels, aliases counted in full")
        match node:
            case MappingNode() if node.tag == _TAG + "map":
                return self._mapping(node, depth)
            case SequenceNode() if node.tag == _TAG + "seq":
                return [self.value(child, depth + 1) for child in node.value]
            case ScalarNode():
                return self._scalar(node)
            case _:
                raise _refuse(f"the tag {node.tag} is not supported")

    def _mapping(self, node: MappingNode, depth: int) -> dict[Any, Value]:
        own: dict[Any, Value] = {}
        merged: dict[Any, Value] = {}
        for key_node, child in node.value:
            if key_node.tag == _TAG + "merge":
                merged = {**self._merged(child, depth + 1), **merged}
                continue
            key = self._key(key_node)
            if key in own:
                raise _refuse(f"the key {key!r} stands twice in one mapping")
            own[key] = self.value(child, depth + 1)
        return {**merged, **own}

    def _merged(self, node: Node, depth: int) -> dict[Any, Value]:
        """What `<<: *base` or `<<: [*a, *b]` brings; of several, the first wins."""
        bases = self.value(node, depth)
        found: dict[Any, Value] = {}
        for base in bases if isinstance(bases, list) else [bases]:
            if not isinstance(base, dict):
                raise _refuse("<< must name a mapping")
            found = {**base, **found}
        return found

    def _key(self, node: Node) -> Any:
        key = self._scalar(node) if isinstance(node, ScalarNode) else None
        if key is None or (isinstance(key, float) and math.isnan(key)):
            raise _refuse(f"line {node.start_mark.line + 1}: a key must be a text, a number or a boolean")
        return key

    def _scalar(self, node: ScalarNode) -> Value:
        match str(node.tag).removeprefix(_TAG):
            case "str" | "timestamp" | "value" | "merge":
                return str(node.value)
            case "null":
                return None
            case "bool" | "int" | "float" as kind if len(node.value) <= _MAX_DIGITS:
                return getattr(self._scalars, f"construct_yaml_{kind}")(node)
            case "binary":
                return bytes(self._scalars.construct_yaml_binary(node))
            case tag:
                raise _refuse(f"the tag {tag} is not supported, or its value is too long")


# --- encoding -------------------------------------------------------------------------------------


def encode(value: Value, most: int, order: Sequence[str] = ()) -> str:
    """Block style, for up to 8 us a byte; keys in `order` come first in each mapping, the rest is sorted."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 1_000_000  # a folded line would be another text to some readers
    yaml.representer.ignore_aliases = lambda _: True
    yaml.representer.add_representer(str, _text_node)
    yaml.representer.sort_base_mapping_type_on_output = False
    stream = io.StringIO()
    yaml.dump(_Plain(order, most).value(value, 0), stream)
    return stream.getvalue().removesuffix("...\n")


def _text_node(representer: Any, text: str) -> Any:
    """Line breaks that only Unicode knows survive in double quotes alone."""
    style = '"' if any(mark in text for mark in "\x85\u2028\u2029") else None
    return representer.represent_scalar(_TAG + "str", text, style=style)


class _Plain:
    """The value as ruamel's representer wants it, within limits."""

    def __init__(self, order: Sequence[str], most: int) -> None:
        self._ranks = {name: rank for rank, name in enumerate(order)}
        self._most = self._left = most

    def value(self, value: Value, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise _refuse(f"over {self._most} values or {MAX_DEPTH} levels")
        match value:
            case Mapping():
                return {key: self.value(value[key], depth + 1) for key in sorted(value, key=self._rank)}
            case list():
                return [self.value(item, depth + 1) for item in value]
            case float() if value.is_integer() and abs(value) < 2**63:
                return int(value)
            case Failure():
                return value.message
            case _:
                return value

    def _rank(self, key: Any) -> Any:
        return (self._ranks.get(key, len(self._ranks)), type(key).__name__, key)


PURE: dict[str, Callable[..., Value]] = {"yaml.encode": encode, "yaml.decode": decode}
