"""Log lines of Lua code, as records of the Python logger `wippy.lua`."""

from __future__ import annotations

import logging

from engine.steps import Log

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}

lua_logger = logging.getLogger("wippy.lua")


def write_log(log: Log, pid: str, entry_id: str) -> None:
    """Write one line; the record carries `pid`, `entry_id`, `lua_logger` and `fields`."""
    level = LEVELS.get(log.level, logging.INFO)
    if lua_logger.isEnabledFor(level):
        extra = {"pid": pid, "entry_id": entry_id, "lua_logger": log.logger, "fields": dict(log.fields)}
        lua_logger.log(level, "%s", log.message, extra=extra)
