"""The modules that an entry may list: ours (engine/modules.py), those that are always there, and other runtimes'."""

from __future__ import annotations

from engine.modules import ASKING, LIBRARIES, MODULES
from engine.registry.words import names

GLOBALS = LIBRARIES | frozenset(names("print subscribe unsubscribe require package"))
"""Present without being listed; listing one changes nothing."""

_FOREIGN_IN_WORKFLOWS = frozenset(names("text html template expr compress treesitter contract"))

FOREIGN = _FOREIGN_IN_WORKFLOWS | frozenset(
    names(
        "sql store fs websocket queue exec excel cloudstorage eval system metrics otel stream btea upstream llm io bapp"
    )
)
"""Modules that other Wippy runtimes have: entries that list them load, but `require` finds nothing here."""

IN_WORKFLOWS = GLOBALS | (MODULES.keys() - ASKING) | _FOREIGN_IN_WORKFLOWS
"""What replays alike, or is replaced by durable commands."""

PROVIDED = GLOBALS | MODULES.keys()
"""Everything that an entry may list without being warned."""
