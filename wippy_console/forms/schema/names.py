"""Names of form fields, made of paths: `f-customer.name`, one for each path, whatever its names hold."""

from __future__ import annotations

import re

PREFIX = "f-"
WHOLE = f"{PREFIX}value"
"""The field of a schema that is no object, as a whole."""

_OWN = "~.:"
_CODE = re.compile("~([0-9a-f]{1,8})~")


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


def shown(name: str) -> str:
    """A field's name for people, as the path that it stands for: `f-a~2e~b.c` as "a.b / c"."""
    return " / ".join(_plain(segment) for segment in name.removeprefix(PREFIX).split("."))


def _plain(segment: str) -> str:
    return '""' if segment == "~" else _CODE.sub(lambda found: _char(int(found[1], 16)), segment)


def _char(code: int) -> str:
    """The character; halves of one and those that show nothing are a mark."""
    return chr(code) if code < 0x110000 and chr(code).isprintable() else "\ufffd"


def _escaped(part: str) -> str:
    """Without the characters that separate, that browsers change in names, or that end an id; never empty."""
    return "".join(_safe(char) for char in part) or "~"


def _safe(char: str) -> str:
    odd = char in _OWN or char.isspace() or ord(char) < 32 or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff"
    return f"~{ord(char):x}~" if odd else char
