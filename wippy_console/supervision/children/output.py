"""A child's output: every line to its log file, important ones to the terminal."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

LINE_LIMIT = 1 << 20
FILE_BYTES = 10_000_000
FILES_KEPT = 3
IMPORTANT = re.compile(r"^\S+ \S+ (WARNING|ERROR|CRITICAL) ")


class LogFile:
    """A log file that is replaced by a new one when it has grown large."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.last = ""
        self._handler = RotatingFileHandler(path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, errors="replace")

    def write(self, line: str) -> None:
        """Append one line."""
        self.last = line
        self._handler.emit(logging.makeLogRecord({"msg": line}))

    def tail(self, lines: int = 5) -> str:
        """Return the last lines, for an error message."""
        return "\n".join(self.path.read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


async def pump(reader: asyncio.StreamReader, log: LogFile, report: Callable[[str], None]) -> None:
    """Carry lines until the child closes its output. Python's own log format marks important ones."""
    while True:
        try:
            raw = await reader.readline()
        except ValueError:  # a line over the limit; the reader has dropped it
            log.write("(a line over 1 MB left out)")
            continue
        if not raw:
            return
        line = raw.decode(errors="replace").rstrip()
        log.write(line)
        if IMPORTANT.match(line):
            report(line)
