"""The graph of nodes of a YAML text; what stands in the text can't run, and can't hold up a process."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import Node

MAX_DEPTH = 64

BROKEN = (YAMLError, ValueError, TypeError, AttributeError, LookupError, AssertionError)
"""What ruamel raises for a bad text: besides its own errors a few of Python's, for garbled directives and escapes."""


class TooDeepError(YAMLError):
    """Nodes within nodes within nodes."""


class _Composer(Composer):
    """Stops early: a line of three thousand brackets keeps ruamel busy for seconds before Python's stack ends."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH + 1:
            raise TooDeepError(f"nested deeper than {MAX_DEPTH} levels")
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def compose(text: str) -> Node | None:
    """The root of the one document, None when it is empty. Raises TooDeepError, and others of BROKEN."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _Composer
    yaml.composer.warn_double_anchors = False  # YAML allows them, and ruamel would write to stderr
    node: Node | None = yaml.compose(text)
    return node


def scalars() -> Any:
    """What has `construct_yaml_int` and the like, to read plain values."""
    return YAML(typ="safe", pure=True).constructor
