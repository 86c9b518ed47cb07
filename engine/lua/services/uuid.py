"""UUIDs for Lua (docs/lua.md#uuid); random bits and the clock come from the unit's world."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from engine.errors import UnitFailed, invalid
from engine.steps import Value, World

_GREGORIAN = 0x01B21DD213814000  # 100 ns steps from 1582-10-15 to 1970-01-01
_TEXT = re.compile(
    r"(?i:urn:uuid:)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|\{[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}|[0-9a-fA-F]{32}"
)
_VARIANTS = {uuid.RFC_4122: "RFC4122", uuid.RESERVED_NCS: "NCS", uuid.RESERVED_MICROSOFT: "Microsoft"}


def _parsed(text: Value) -> uuid.UUID:
    if not isinstance(text, str):
        raise UnitFailed(invalid("uuid: string expected"))
    if not _TEXT.fullmatch(text):  # Python would take hyphens anywhere
        raise UnitFailed(invalid(f"invalid UUID: {text[:100]!r}"))
    return uuid.UUID(text.lower())


def v1(world: World) -> str:
    """Time-based, with a random node (its multicast bit is set)."""
    ticks = world.now() // 100 + _GREGORIAN
    noise = world.random_bytes(8)
    node = int.from_bytes(noise[:6], "big") | (1 << 40)
    sequence = int.from_bytes(noise[6:], "big") & 0x3FFF
    fields = (ticks & 0xFFFFFFFF, (ticks >> 32) & 0xFFFF, (ticks >> 48) & 0x0FFF, sequence >> 8, sequence & 0xFF, node)
    return str(uuid.UUID(fields=fields, version=1))


def v4(world: World) -> str:
    """Random."""
    return str(uuid.UUID(bytes=world.random_bytes(16), version=4))


def v7(world: World) -> str:
    """Unix milliseconds, then random bits."""
    millis = (world.now() // 1_000_000) & (2**48 - 1)
    bits = int.from_bytes(world.random_bytes(10), "big")
    value = millis << 80 | 0x7 << 76 | (bits >> 68) << 64 | 0b10 << 62 | bits & (2**62 - 1)
    return str(uuid.UUID(int=value))


def _named(make: Any) -> Any:
    def build(namespace: Value = None, name: Value = None) -> str:
        if not isinstance(name, str):
            raise UnitFailed(invalid("uuid: name (string) expected"))
        return str(make(_parsed(namespace), name))

    return build


def _validate(text: Value) -> bool:
    try:
        _parsed(text)
    except UnitFailed:
        return False
    return True


def _unix_seconds(value: uuid.UUID) -> float | None:
    if value.version == 1:
        return (value.time - _GREGORIAN) / 1e7
    return (value.int >> 80) / 1000 if (value.int >> 76) & 0xF == 7 else None


def _version(value: uuid.UUID) -> int:
    return (value.int >> 76) & 0xF


def _variant(text: Value = None) -> str:
    return _VARIANTS.get(_parsed(text).variant, "Future")


def _parse(text: Value = None) -> Value:
    value = _parsed(text)
    fields: dict[str, Value] = {"version": _version(value), "variant": _variant(text)}
    seconds = _unix_seconds(value)
    if seconds is not None:
        fields["timestamp"] = int(seconds)
    if value.version == 1:
        fields["node"] = ":".join(f"{byte:02x}" for byte in value.node.to_bytes(6, "big"))
    return fields


def _format(text: Value = None, style: Value = "standard") -> str:
    value = _parsed(text)
    styles = {"standard": str(value), "simple": value.hex, "urn": value.urn}
    if style not in styles:
        raise UnitFailed(invalid(f"unknown UUID format {style!r}: use standard, simple or urn"))
    return styles[str(style)]


WITH_WORLD: dict[str, Callable[..., Value]] = {"uuid.v1": v1, "uuid.v4": v4, "uuid.v7": v7}
PURE: dict[str, Callable[..., Value]] = {
    "uuid.v3": _named(uuid.uuid3),
    "uuid.v5": _named(uuid.uuid5),
    "uuid.validate": _validate,
    "uuid.version": lambda text=None: _version(_parsed(text)),
    "uuid.variant": _variant,
    "uuid.parse": _parse,
    "uuid.format": _format,
}
