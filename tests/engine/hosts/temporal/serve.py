"""A worker in an OS process of its own, to be killed: `python -m tests.engine.hosts.temporal.serve ADDRESS QUEUE`.

It reads entries as JSON lines from its standard input until an empty line, then serves.
"""

from __future__ import annotations

import asyncio
import json
import sys

from engine.entry import Entry
from tests.engine.hosts.temporal.stage import Stage


async def main(address: str, queue: str) -> None:
    """Serve until killed."""
    stage = await Stage.open(address, serve=False, queue=queue)
    while line := sys.stdin.readline().strip():
        data = json.loads(line)
        stage.catalog.publish(Entry(data["id"], data["kind"], data["meta"], data["data"]))
    for entry in stage.catalog.entries("workflow.lua"):
        stage.catalog.current(entry.id)
    await stage.serve_again()
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
