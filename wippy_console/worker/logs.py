"""Log lines of Lua code on stdout, one JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

LUA_LOGGER = "wippy.lua"


class JsonLines(logging.Formatter):
    """time, level, message, and what the line carries: pid, entry, logger, fields, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; what JSON can't say is said as text."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        for name, attribute in (("pid", "pid"), ("entry", "entry_id"), ("logger", "lua_logger"), ("fields", "fields")):
            if value := getattr(record, attribute, None):
                line[name] = value
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def log_lua_to_stdout() -> None:
    """Let Lua's lines go to stdout, and only there."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger(LUA_LOGGER)
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
