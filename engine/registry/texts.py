"""Entries as the text that an author would write: YAML fields, and the Lua source beside them."""

from __future__ import annotations

import io
import re
from typing import Any

from ruamel.yaml import YAML, emitter

from engine.entry import Entry

_BREAKS = re.compile("[\x85\u2028\u2029\ufeff]")


class Emitter(emitter.Emitter):
    """Quotes and escapes what a reader would take for the end of a line: ruamel writes U+0085 as it is."""

    def analyze_scalar(self, scalar: Any) -> Any:
        """Which styles give the text back."""
        analysis = super().analyze_scalar(scalar)
        if _BREAKS.search(scalar):
            analysis.allow_flow_plain = analysis.allow_block_plain = False
            analysis.allow_single_quoted = analysis.allow_block = False
        return analysis


def plain_yaml() -> YAML:
    """A writer of YAML 1.2, plain data in block style, keys in their order."""
    made = YAML(typ="safe", pure=True)
    made.Emitter = Emitter
    made.default_flow_style = False
    made.width = 100
    made.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    return made


def fields_text(entry: Entry) -> str:
    """An entry's fields as YAML, its source left out."""
    content = fields(entry)
    if not content:
        return ""
    out = io.StringIO()
    plain_yaml().dump(content, out)
    return out.getvalue()


def fields(entry: Entry) -> dict[str, Any]:
    """`meta` and the fields but the source, as they stand in a file."""
    data = {name: value for name, value in entry.data.items() if name != "source"}
    return {**({"meta": dict(entry.meta)} if entry.meta else {}), **data}


def entry_text(entry: Entry | None) -> str:
    """Kind, fields and source, one after the other; "" for none."""
    return "" if entry is None else f"kind: {entry.kind}\n{fields_text(entry)}\n{entry.data.get('source', '')}"
