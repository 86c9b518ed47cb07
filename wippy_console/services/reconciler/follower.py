"""Follows one Temporal client: runs that began or ended without a node of ours noticing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from django.db.models import Max
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from engine.contracts.catalog import Catalog
from engine.hosts.temporal.client import business_keys
from wippy_console.database.threads import in_thread
from wippy_console.models import Run
from wippy_console.services.projection import Clients, Fact, Ref, fetch_beginning, fetch_state, is_gone
from wippy_console.services.reconciler import troubles
from wippy_console.services.reconciler.unserved import Unserved
from wippy_console.services.visibility import PAGE, first_page, on_queues, pages, queues_of, ref_of, since

logger = logging.getLogger(__name__)

# Visibility may lag, and clocks differ: each look reaches back a little further than the last one saw.
OVERLAP = timedelta(seconds=5)
OVERLAP_AT_START = timedelta(minutes=10)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
AT_ONCE = 4
ASKING_PAUSES = (0.0, 1.0, 5.0, 15.0, 60.0)


class Followup(Protocol):
    """Fetches beginnings and endings; both return at once, and asking twice does no harm."""

    def begin_soon(self, ref: Ref) -> None:
        """Fetch how the run began."""
        ...

    def close_soon(self, ref: Ref) -> None:
        """Fetch how the run ended, if it has."""
        ...


class Follower:
    """Keeps two watermarks in memory; at the start they come from the newest rows."""

    def __init__(
        self, client_id: str, catalog: Catalog, clients: Clients, followup: Followup, offer: Callable[[Fact], None]
    ) -> None:
        self._client_id = client_id
        self._catalog = catalog
        self._clients = clients
        self._followup = followup
        self._offer = offer
        self._from: tuple[datetime, datetime] | None = None
        self._turns: troubles.Turns = {}
        self._server_reports = True
        self._comparing: asyncio.Task[None] | None = None
        self._compare_next = True
        self._unserved = Unserved(client_id, catalog)

    async def step(self) -> None:
        """One look; RPCError or UnitFailed while Temporal does not answer."""
        queues = queues_of(self._catalog, self._client_id)
        if not queues:
            return
        client = await self._clients.client(self._client_id)
        if self._from is None:
            await self._register_keys(client)
            self._from = await in_thread(partial(watermarks, self._client_id))
        started, closed = self._from
        for ref in await self._unserved.look(client, queues, started):
            self._followup.begin_soon(ref)
        started = await self._follow_started(client, queues, started)
        closed = await self._follow_closed(client, queues, closed)
        self._from = started, closed
        await self._look_for_troubles(client, queues)
        self._start_comparing(client, queues)

    async def _register_keys(self, client: Client) -> None:
        """Let the namespace take business keys; where it does not, runs start without, and health says so."""
        if refusal := await business_keys.register(client):
            logger.warning("runs of %s start without business keys for Temporal: %s", self._client_id, refusal)

    def compare_again(self) -> None:
        """Compare all open runs at the next step: observations may have been lost."""
        self._compare_next = True

    def stop(self) -> None:
        """End what runs beside the steps."""
        if self._comparing is not None:
            self._comparing.cancel()

    async def _follow_started(self, client: Client, queues: list[str], start: datetime) -> datetime:
        """Announce runs without a row; returns where the next look begins."""
        newest = start
        async for page in pages(client, since("StartTime", start - OVERLAP), on_queues(queues)):
            newest = max(newest, *(execution.start_time for execution in page))
            known = await in_thread(partial(known_runs, page))
            for execution in page:
                if execution.run_id not in known:
                    self._fetch(execution)
        return newest

    async def _follow_closed(self, client: Client, queues: list[str], start: datetime) -> datetime:
        """Close runs whose rows are open; returns where the next look begins."""
        newest = start
        async for page in pages(client, since("CloseTime", start - OVERLAP), on_queues(queues)):
            newest = max(newest, *(execution.close_time or start for execution in page))
            known = await in_thread(partial(known_runs, page))
            for execution in page:
                if known.get(execution.run_id) in {None, Run.Status.RUNNING}:
                    self._fetch(execution)
        return newest

    def _fetch(self, execution: WorkflowExecution) -> None:
        ref = ref_of(self._client_id, execution)
        if execution.close_time is None:
            self._followup.begin_soon(ref)
        else:
            self._followup.close_soon(ref)

    # -- troubles ----------------------------------------------------------------------------------

    async def _look_for_troubles(self, client: Client, queues: list[str]) -> None:
        refs, self._turns = await in_thread(partial(troubles.suspects, self._client_id, self._turns))
        for ref in {*refs, *await self._reported(client, queues)}:
            try:
                found = await troubles.diagnose(client, ref)
            except RPCError as error:
                if not is_gone(error):
                    raise
                found = None
            if found is None:
                self._followup.close_soon(ref)
            else:
                self._offer(found)

    async def _reported(self, client: Client, queues: list[str]) -> list[Ref]:
        """Runs that Temporal reports and no row does yet; older servers don't, then the sweep finds them, later."""
        if not self._server_reports:
            return []
        try:
            page = await first_page(
                client, troubles.REPORTED, "ExecutionStatus = 'Running'", on_queues(queues), size=PAGE
            )
        except RPCError as error:
            if error.status != RPCStatusCode.INVALID_ARGUMENT:
                raise
            self._server_reports = False
            return []
        known = await in_thread(partial(known_troubles, page))
        fresh = [execution for execution in page if execution.run_id not in known]
        return [ref_of(self._client_id, execution) for execution in fresh[: troubles.LOOKED_AT]]

    # -- comparing all open runs, after a start or a crash -----------------------------------------

    def _start_comparing(self, client: Client, queues: list[str]) -> None:
        if self._compare_next and (self._comparing is None or self._comparing.done()):
            self._compare_next = False
            self._comparing = asyncio.create_task(self._compare(client, queues), name=f"compare {self._client_id}")

    async def _compare(self, client: Client, queues: list[str]) -> None:
        """Bring every open run up to date; begins again with the next step when Temporal fails meanwhile."""
        try:
            running = await self._find_running(client, queues)
            rows = await in_thread(partial(open_runs, self._client_id))
            for run in rows:
                if run.run_id not in running:
                    self._followup.close_soon(Ref(self._client_id, run.workflow_id, run.run_id))
            await self._refresh(client, [run for run in rows if run.run_id in running])
        except Exception:
            logger.warning("comparing the open runs of %s failed; trying again", self._client_id, exc_info=True)
            self._compare_next = True

    async def _find_running(self, client: Client, queues: list[str]) -> set[str]:
        """The ids of the runs that Temporal has open; those without a row are announced."""
        running: set[str] = set()
        async for page in pages(client, "ExecutionStatus = 'Running'", on_queues(queues)):
            known = await in_thread(partial(known_runs, page))
            running |= {execution.run_id for execution in page}
            for execution in page:
                if execution.run_id not in known:
                    self._fetch(execution)
        return running

    async def _refresh(self, client: Client, runs: list[Run]) -> None:
        """Ask the runs that took steps which nobody wrote down where they wait now.

        A killed worker's runs don't answer until Temporal has given that worker up, hence the later tries.
        """
        for pause in ASKING_PAUSES:
            await asyncio.sleep(pause)
            runs = await self._ask(client, runs)
            if not runs:
                return

    async def _ask(self, client: Client, runs: list[Run]) -> list[Run]:
        """Ask them, a few at once; returns those that did not answer."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(run: Run) -> bool:
            async with gate:
                return await self._ask_one(client, run)

        answered = await asyncio.gather(*(one(run) for run in runs))
        return [run for run, answer in zip(runs, answered, strict=True) if not answer]

    async def _ask_one(self, client: Client, run: Run) -> bool:
        ref = Ref(self._client_id, run.workflow_id, run.run_id)
        try:
            began = await fetch_beginning(self._catalog, client, ref)
            seen = await fetch_state(client, began, run.history_length)
        except RPCError as error:
            logger.info("%s does not say where it waits: %s", run.workflow_id, error)
            return is_gone(error)
        self._offer(seen or began)
        return True


def watermarks(client_id: str) -> tuple[datetime, datetime]:
    """Where to begin following starts and closings: a while before the newest rows."""
    newest = Run.objects.filter(client=client_id).aggregate(started=Max("started_at"), closed=Max("closed_at"))
    started, closed = newest["started"], newest["closed"]
    return (
        started - OVERLAP_AT_START if started else LONG_AGO,
        closed - OVERLAP_AT_START if closed else LONG_AGO,
    )


def known_runs(page: list[WorkflowExecution]) -> dict[str, str]:
    """The status of those executions that have a row, by run id."""
    ids = [execution.run_id for execution in page]
    return dict(Run.objects.filter(run_id__in=ids).values_list("run_id", "status"))


def known_troubles(page: list[WorkflowExecution]) -> set[str]:
    """The ids of those executions whose rows say that they don't get on: these are looked at again in turn."""
    ids = [execution.run_id for execution in page]
    return set(Run.objects.filter(run_id__in=ids, troubled_since__isnull=False).values_list("run_id", flat=True))


def open_runs(client_id: str) -> list[Run]:
    """The rows of open runs, those that moved last first: a crash lost the newest."""
    rows = Run.objects.filter(client=client_id, status=Run.Status.RUNNING)
    return list(rows.only("run_id", "workflow_id", "history_length").order_by("-observed_at"))
