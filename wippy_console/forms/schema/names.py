"""Names of form fields, made of paths: `f-customer.name`, one for each path, whatever its names hold."""

from __future__ import annotations

PREFIX = "f-"
WHOLE = f"{PREFIX}value"
"""The field of a schema that is no object, as a whole."""

_OWN = "~.:"


def child(name: str, part: str | int) -> str:
    """The name of a property or an item within the part that has `name`."""
    segment = str(part) if isinstance(part, int) else _escaped(part)
    return f"{PREFIX}{segment}" if name == PREFIX else f"{name}.{segment}"


def alternative(name: str, index: int) -> str:
    """The name of one alternative of a part."""
    return f"{name}:{index}"


def beside(name: str, what: str) -> str:
    """The name of what goes with a part besides its value: `pick`, `n`, `was`, ..."""
    return f"{name}:{what}"


def _escaped(part: str) -> str:
    """Without the characters that separate, that browsers change in names, or that end an id; never empty."""
    return "".join(_safe(char) for char in part) or "~"


def _safe(char: str) -> str:
    odd = char in _OWN or char.isspace() or ord(char) < 32 or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff"
    return f"~{ord(char):x}~" if odd else char
