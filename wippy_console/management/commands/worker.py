"""`manage.py worker`: one node."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand

from wippy_console.supervision.children.parent import watch_parent
from wippy_console.supervision.guardian import Guardian, guarded_command
from wippy_console.worker.watch.ledger import Ledger, own_ledger

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Run a node until SIGTERM or SIGINT."""

    help = "Runs a node: takes work from Temporal, runs processes and services, and keeps the console up to date."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the node, in a process of its own that this one guards."""
        watch_parent()
        ledger = own_ledger()
        if ledger is None:
            sys.exit(Guardian(guarded_command(), settings.STEP_SECONDS).run())
        asyncio.run(live_and_leave(ledger))


async def live_and_leave(ledger: Ledger) -> NoReturn:
    """Run a node, then end the process without waiting for any thread.

    Measured: 5 of 50 interpreters crashed when they ended by themselves right after a Temporal worker.
    """
    status = 0
    try:
        await serve(ledger)
    except Exception:
        logger.exception("the node broke")
        status = 1
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


async def serve(ledger: Ledger) -> None:
    """Run a node until a signal; the second signal ends the process at once."""
    from wippy_console.worker.logs import log_lua_to_stdout  # noqa: PLC0415 - a guardian needs none of these
    from wippy_console.worker.node import WorkerNode  # noqa: PLC0415

    log_lua_to_stdout()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_stop)
    await WorkerNode(ledger).run(stop)
