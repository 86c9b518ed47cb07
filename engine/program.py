"""Programs: an entry plus its imports, linked, immutable, named by the digest of its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

LUA_VERSION = "5.4"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One Lua source of a program: the entry itself or a library that it imports, directly or not."""

    entry_id: str
    source: str
    modules: tuple[str, ...] = ()
    imports: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OwnLimits:
    """Limits that an entry has of its own: VM instructions per step, MiB of Lua memory; 0 stands for the default."""

    instructions: int = 0
    memory: int = 0

    def to_json(self) -> dict[str, int]:
        """Those that the entry has."""
        named = {"instructions": self.instructions, "memory": self.memory}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True)
class Program:
    """A linked entry. `chunks` maps entry ids to sources and holds `entry_id` itself and every import.

    A `function.python` has none: its `method` is the callable, as `package.module:name`.
    """

    entry_id: str
    kind: str
    method: str
    chunks: Mapping[str, Chunk]
    limits: OwnLimits = OwnLimits()

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON of the content."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The content as JSON data; `from_json` is its inverse.

        Without limits of its own it says nothing of them, so that its digest is that of before there were any.
        """
        limits = self.limits.to_json()
        return {
            "lua": LUA_VERSION,
            "entry_id": self.entry_id,
            "kind": self.kind,
            "method": self.method,
            "chunks": {
                key: {"source": c.source, "modules": list(c.modules), "imports": dict(c.imports)}
                for key, c in self.chunks.items()
            },
            **({"limits": limits} if limits else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Program:
        """The program that `to_json` described."""
        chunks = {
            key: Chunk(key, c["source"], tuple(c["modules"]), dict(c["imports"])) for key, c in data["chunks"].items()
        }
        limits = OwnLimits(**data.get("limits", {}))
        return cls(data["entry_id"], data["kind"], data["method"], chunks, limits)
