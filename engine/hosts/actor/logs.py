"""Log lines of Lua code, as records of the Python logger `wippy.lua`."""

from __future__ import annotations

import logging

from engine.hosts.actor.actor import Actor
from engine.steps import Log

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}

lua_logger = logging.getLogger("wippy.lua")


def write_log(actor: Actor, log: Log) -> None:
    """Write one line; the record carries `pid`, `entry_id`, `lua_logger` and `fields`."""
    level = LEVELS.get(log.level, logging.INFO)
    if lua_logger.isEnabledFor(level):
        extra = {
            "pid": actor.pid,
            "entry_id": actor.program.entry_id,
            "lua_logger": log.logger,
            "fields": log.fields,
        }
        lua_logger.log(level, "%s", log.message, extra=extra)
