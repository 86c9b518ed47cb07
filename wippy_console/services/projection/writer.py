"""The writer: one thread per node that drains facts into the database, and outlives a database that is down."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection

from engine.contracts.catalog import Catalog
from wippy_console.services.projection.facts import Fact
from wippy_console.services.projection.mailbox import Mailbox
from wippy_console.services.projection.writing import Written, write

logger = logging.getLogger(__name__)

BATCH = 200
LINGER_SECONDS = 0.01
IDLE_SECONDS = 1.0
RETRY_SECONDS = (0.05, 0.2, 1.0, 3.0)
TRANSIENT = (OperationalError, InterfaceError)


class Projection:
    """`offer` is safe from any thread and never blocks; `on_written` is called on the writer's thread.

    A `mailbox` from outside is for those whose facts come back by way of `on_written`.
    """

    def __init__(
        self,
        catalog: Catalog,
        mailbox: Mailbox | None = None,
        on_written: Callable[[Written], None] = lambda _: None,
    ) -> None:
        self._catalog = catalog
        self._mailbox = Mailbox() if mailbox is None else mailbox  # an empty one is false
        self._on_written = on_written
        self._busy = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._drain, name="projection", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def offer(self, fact: Fact) -> None:
        """Write this soon."""
        self._mailbox.put(fact)

    def stop(self, timeout: float = 5.0) -> bool:
        """Write what is queued and end; False when that took longer than `timeout` seconds."""
        self._stopping.set()
        self._mailbox.close()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _drain(self) -> None:
        """Short waits gather a batch: one commit for many facts."""
        while not self._stopping.is_set() or len(self._mailbox):
            facts = self._mailbox.take(BATCH, IDLE_SECONDS)
            if not facts:
                continue
            if len(facts) < BATCH and not self._stopping.is_set():
                time.sleep(LINGER_SECONDS)
                facts += self._mailbox.take(BATCH - len(facts), 0)
            self._write(facts)
        connection.close()

    def _write(self, facts: Sequence[Fact]) -> None:
        """Write a batch; when one fact spoils it, write the others one by one."""
        try:
            self._on_written(self._persist(facts))
        except Exception:
            if len(facts) == 1:
                logger.exception("could not write %r", facts[0])
                return
            logger.warning("a batch was refused; writing its %d facts one by one", len(facts), exc_info=True)
            for fact in facts:
                self._write([fact])

    def _persist(self, facts: Sequence[Fact]) -> Written:
        """Try again as long as it is the database that is down, or another writer that was faster."""
        attempt = 0
        while True:
            try:
                close_old_connections()
                return write(self._catalog, facts)
            except TRANSIENT as error:
                attempt += 1
                self._wait_for_database(attempt, error)

    def _wait_for_database(self, attempt: int, error: DatabaseError | InterfaceError) -> None:
        """Pause; gives up only when the node must stop."""
        if self._stopping.is_set() and attempt > len(RETRY_SECONDS):
            raise error
        if attempt > 1:
            logger.warning("the database does not answer, trying again: %s", error)
        connection.close()
        self._stopping.wait(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS)) - 1])
