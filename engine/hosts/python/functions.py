"""Runs the callables of `function.python` entries: found, called on a thread or a loop, waited for."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from engine.contracts.operation import MAX_TEXT, Asker, Operation
from engine.contracts.operations import Doing, ProcessInfo
from engine.durations import SECOND
from engine.errors import UnitFailed, invalid
from engine.hosts.actor.actor import State
from engine.hosts.actor.hosts import FUNCTIONS, FunctionHost
from engine.hosts.python.call import PythonCall, stopped
from engine.hosts.python.failures import failure_of
from engine.hosts.python.loop import AsyncLoop
from engine.hosts.python.parameters import built
from engine.hosts.python.surroundings import Surroundings
from engine.hosts.python.threads import Job, Threads
from engine.hosts.python.unit import CALL
from engine.hosts.python.values import outgoing
from engine.steps import Value

logger = logging.getLogger(__name__)

THREADS = 16
ASYNC_PER_THREAD = 4
PATIENCE = 5.0
"""Seconds that code has between the wish to stop it and the force that does."""
STUCK_SECONDS, BLOCKED_SECONDS, PROBE_SECONDS = 2.0, 5.0, 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """A callable, and where it runs."""

    function: Callable[..., Any]
    is_async: bool


class PythonFunctions:
    """The operation `python.call` of a node; used on the node's loop."""

    def __init__(self, surroundings: Surroundings, *, threads: int = THREADS) -> None:
        self._surroundings = surroundings
        self._threads = Threads(threads, surroundings.around, surroundings.at_end)
        self._loop = AsyncLoop(threads * ASYNC_PER_THREAD, surroundings.around_async)
        self._found: dict[tuple[str, str], Found] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._async_calls = 0
        self._watching = False

    def operations(self) -> Mapping[str, Operation]:
        """What units ask for, by name; the wish to stop reaches the code by its unit."""
        return {CALL: Operation(self._asked, _text, heeds_cancel=True)}

    def stuck(self) -> list[ProcessInfo]:
        """The calls that nobody waits for and that go on all the same, as the console lists them; from any thread."""
        held = (*self._threads.stuck(), *self._loop.calls())
        return [_listed(call) for call in held if call.outlived(STUCK_SECONDS)]

    async def close(self) -> None:
        """Begin nothing any more; what does not end is left behind."""
        for task in self._tasks:
            task.cancel()
        self._threads.close()
        self._loop.close()

    async def call(self, call: PythonCall) -> Value:
        """The value of a call; raises UnitFailed."""
        timers = self._at_deadline(call)
        try:
            found = self._found.get((call.entry, call.callable)) or await self._resolved(call)
            if found.is_async:
                return await self._on_loop(call, found)
            return await self._on_thread(call, partial(self._run, call, found))
        finally:
            for timer in timers:
                timer.cancel()
            call.give_up()

    async def _asked(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        match args:
            case (PythonCall() as call,):
                return await self.call(call)
            case _:
                raise UnitFailed(invalid("no call of a Python function"))

    # --- on the node's loop --------------------------------------------------------------------

    def _at_deadline(self, call: PythonCall) -> list[asyncio.TimerHandle]:
        """Ask the code to stop when its time is over, and make it stop a while later."""
        if not call.attempt.deadline:
            return []
        left = call.attempt.deadline / SECOND - time.time()
        loop = asyncio.get_running_loop()
        return [loop.call_later(left, call.cancel, "timed out"), loop.call_later(left + PATIENCE, call.give_up)]

    async def _resolved(self, call: PythonCall) -> Found:
        """On a thread: the first use of a module may take long to import it."""
        found: Found = await self._on_thread(call, partial(self._resolve, call))
        return self._found.setdefault((call.entry, call.callable), found)

    async def _on_thread(self, call: PythonCall, work: Callable[[], Any]) -> Any:
        job = Job(call, work)
        call.on_cancel(partial(_cancel, job.future))  # as long as it waits for a thread
        self._threads.submit(job)
        return await self._outcome(call, job.future)

    async def _on_loop(self, call: PythonCall, found: Found) -> Any:
        self._async_calls += 1
        self._watch_loop()
        try:
            return await self._outcome(call, self._loop.submit(call, partial(self._run_async, call, found)))
        finally:
            self._async_calls -= 1

    async def _outcome(self, call: PythonCall, future: Future[Any]) -> Any:
        """What it comes to; Canceled at once when nobody waits any more, whatever the code does."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()

        def tell(settle: Callable[[], None]) -> None:
            with suppress(RuntimeError):  # the node has ended
                loop.call_soon_threadsafe(settle)

        future.add_done_callback(lambda ended: tell(partial(_settle, done, ended)))
        call.on_given_up(lambda: tell(partial(self._left, call, done, future)))
        return await done

    def _left(self, call: PythonCall, done: asyncio.Future[Any], future: Future[Any]) -> None:
        if not done.done():
            done.set_exception(UnitFailed(stopped("terminated")))
        if not future.done():
            self._later(self._say_when_stuck(call, future))

    async def _say_when_stuck(self, call: PythonCall, future: Future[Any]) -> None:
        await asyncio.sleep(STUCK_SECONDS)
        if not future.done():
            seconds = time.monotonic() - call.began
            logger.warning("%s (%s) does not stop: it holds its thread since %.0f s", call, call.callable, seconds)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _watch_loop(self) -> None:
        if not self._watching:
            self._watching = True
            self._later(self._watched())

    async def _watched(self) -> None:
        """As long as coroutines run, look whether one keeps the loop for itself."""
        try:
            while self._async_calls:
                await self._probe()
        finally:
            self._watching = False

    async def _probe(self) -> None:
        answered: list[float] = []
        asked, told = time.monotonic(), False
        self._loop.probe(lambda: answered.append(time.monotonic()))
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            if answered:
                return
            self._loop.break_off()
            blocked = time.monotonic() - asked
            if blocked > BLOCKED_SECONDS and not told and (call := self._loop.blocking()):
                told = True
                text = "%s (%s) blocks all async functions since %.0f s: it must await, or be a plain def"
                logger.warning(text, call, call.callable, blocked)

    # --- on threads and the loop of functions ---------------------------------------------------

    def _resolve(self, call: PythonCall) -> Found:
        try:
            function = self._surroundings.resolve(call.entry, call.callable)
        except Exception as error:
            raise UnitFailed(self._failure(error)) from None
        return Found(function, _is_async(function))

    def _run(self, call: PythonCall, found: Found) -> Value:
        try:
            args = built(found.function, call.entry, call.args)
            value = found.function(self._surroundings.context(call), *args)
            if inspect.isawaitable(value):
                _drop(value)
                raise UnitFailed(invalid(f"{call.callable} returned what must be awaited: make it an async def"))
            return outgoing(value, call.limit)
        except (Exception, SystemExit, KeyboardInterrupt, GeneratorExit) as error:
            failure = self._failure(error)
        raise UnitFailed(failure)  # out here it knows nothing of the code's frames, which end with the call

    async def _run_async(self, call: PythonCall, found: Found) -> Value:
        try:
            args = built(found.function, call.entry, call.args)
            return outgoing(await found.function(self._surroundings.context(call), *args), call.limit)
        except (Exception, SystemExit, KeyboardInterrupt, GeneratorExit) as error:
            failure = self._failure(error)
        raise UnitFailed(failure)  # as above

    def _failure(self, error: BaseException) -> Any:
        return failure_of(error, self._surroundings.failure_of)


def _text(args: tuple[Value, ...]) -> str:
    match args:
        case (PythonCall() as call,):
            return f"python {call.callable}"
        case _:
            return CALL


def _listed(call: PythonCall) -> ProcessInfo:
    text = f"python {call.callable}, which nobody waits for and which does not stop: restart its worker to end it"
    return ProcessInfo(
        pid=call.identity.pid,
        entry=call.entry,
        kind=FunctionHost.kind,
        host=FUNCTIONS,
        state=State.STEPPING.value,
        started=call.started,
        mailbox=0,
        mailbox_limit=0,
        parent="",
        links=(),
        names=(),
        watchers=(),
        doing=(Doing(text[:MAX_TEXT], call.started),),
        operations=1,
    )


def _is_async(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _drop(value: Any) -> None:
    if inspect.iscoroutine(value):
        value.close()


def _settle(done: asyncio.Future[Any], ended: Future[Any]) -> None:
    if done.done():
        return
    if ended.cancelled():
        done.set_exception(UnitFailed(stopped("canceled")))
    elif (error := ended.exception()) is not None:
        done.set_exception(error if isinstance(error, UnitFailed) else UnitFailed(failure_of(error, lambda _: None)))
    else:
        done.set_result(ended.result())


def _cancel(future: Future[Any]) -> None:
    future.cancel()
