"""The modules that an entry may list: known ones, and those that a workflow may use."""

from __future__ import annotations

from engine.registry.words import names

GLOBALS = frozenset(
    names("process channel payload errors os string table math coroutine print subscribe unsubscribe require package")
)
"""Present without being listed; listing one changes nothing."""

IN_WORKFLOWS = GLOBALS | frozenset(
    names(
        "funcs time uuid crypto ctx json hash base64 yaml text html template expr compress treesitter contract "
        "workflow logger"
    )
)
"""What replays alike, or is replaced by durable commands."""

FOREIGN = frozenset(
    names(
        "text html template expr compress treesitter contract "
        "sql store fs http http_client websocket queue exec excel cloudstorage eval system metrics otel stream btea "
        "upstream llm io bapp"
    )
)
"""Modules that other Wippy runtimes have: entries that list them load, but `require` finds nothing here."""

PROVIDED = (IN_WORKFLOWS | frozenset(names("events registry env security"))) - FOREIGN
"""Everything that an entry may list without being warned."""
