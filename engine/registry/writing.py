"""YAML as it is written back: what a file says, but for what changed, with its comments, quotes and indents."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.representer import RoundTripRepresenter

from engine.registry.changes import spelled
from engine.registry.texts import Emitter

_ITEM = re.compile(r"^entries:[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)- ", re.MULTILINE)


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


def round_trip(text: str) -> YAML:
    """A reader and writer that keeps comments, quotes and the way in which the file indents its list."""
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor, yaml.Representer, yaml.Emitter = _Constructor, _Representer, Emitter
    yaml.composer.warn_double_anchors = False  # YAML allows them, and ruamel would write to stderr
    yaml.preserve_quotes = True
    yaml.width = 4096
    item = _ITEM.search(text)
    offset = len(item[1]) if item else 2
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml


def dumped(yaml: YAML, head: Any) -> str:
    """The text of a document that `yaml` has read."""
    out = io.StringIO()
    yaml.dump(head, out)
    return out.getvalue()


def merge(node: Any, old: Any, new: Mapping[str, Any], kept: frozenset[str] = frozenset()) -> None:
    """Change a mapping of the file, which means `old`, until it means `new`; only `<<` may give it more than that."""
    for key in [key for key in node if key not in new and key not in kept]:
        del node[key]
    for key, value in new.items():
        before = old.get(key) if isinstance(old, Mapping) else None
        if key in node and spelled(before) == spelled(value):
            continue
        if isinstance(value, Mapping) and isinstance(before, Mapping) and _is_alone(node, key):
            merge(node[key], before, value)
        else:
            node[key] = value


def _is_alone(node: Any, key: str) -> bool:
    """Whether a mapping stands in this place only: what has an anchor, or came by `<<`, means something elsewhere."""
    part = node.get(key)
    return isinstance(part, CommentedMap) and part.anchor.value is None and not part.merge and _is_own(node, key)


def _is_own(node: CommentedMap, key: str) -> bool:
    return any(each == key for each, _ in node.non_merged_items())
