"""What those who carry out operations (`engine.contracts.operation`) keep for a unit: its handles, and its cancel."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
import traceback
from collections.abc import Coroutine

from engine.contracts.operation import CLOSING_SECONDS, MAX_HANDLES, MAX_TEXT, Asker, Closing, Kind, Operation
from engine.errors import CANCELED, INTERNAL, LIMIT_EXCEEDED, Failure, UnitFailed, invalid
from engine.steps import Value

logger = logging.getLogger(__name__)

OPERATION_CANCELED = Failure(CANCELED, "operation canceled", retryable=False)
TOO_MANY_HANDLES = Failure(
    LIMIT_EXCEEDED, f"too much is open at once: {MAX_HANDLES} handles of this unit are not closed yet", retryable=True
)


class Asked:
    """A unit that was asked to stop, or not yet (`engine.contracts.operation.Cancelation`)."""

    __slots__ = ("_event", "_reason")

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._reason: str | None = None

    @property
    def reason(self) -> str | None:
        """Why it shall stop."""
        return self._reason

    async def wait(self) -> str:
        """Wait until it shall."""
        await self._event.wait()
        return self._reason or ""

    def to_stop(self, reason: str) -> None:
        """Tell the operation; on the loop. The first reason stays."""
        if self._reason is None:
            self._reason = reason
            self._event.set()


class Closer:
    """Closes the handles of all units of a node, each in its time, and gives them their numbers."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    def number(self) -> int:
        """The next one; another unit's handle never has it."""
        return next(self._numbers)

    def begin(self, handle: Closing, text: str) -> asyncio.Task[None]:
        """Close a handle, whatever becomes of those who wait for it."""
        return self.keep(self._close(handle, text))

    async def settled(self, seconds: float) -> None:
        """Wait until nothing is being closed, so long at most."""
        end = time.monotonic() + seconds
        while self._tasks and (left := end - time.monotonic()) > 0:
            await asyncio.wait(self._tasks, timeout=left)

    async def _close(self, handle: Closing, text: str) -> None:
        task = self.keep(_closing(handle))
        await asyncio.wait({task}, timeout=CLOSING_SECONDS)
        if not task.done():
            task.cancel()
            logger.error("%s did not close in %g s and is left behind", text, CLOSING_SECONDS)
        elif not task.cancelled() and (error := task.exception()) is not None:
            logger.error("%s could not be closed: %s", text, where(error))

    def keep(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """A task of it, kept as long as it runs: nobody else may."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()


async def _closing(handle: Closing) -> None:
    await handle.close()


class Held:
    """The handles of one unit (`engine.contracts.operation.Holdings`)."""

    __slots__ = ("_closer", "_ended", "_handles", "_owner")

    def __init__(self, closer: Closer, owner: str) -> None:
        self._closer = closer
        self._owner = owner
        self._handles: dict[int, tuple[Closing, str]] = {}
        self._ended = False

    def __len__(self) -> int:
        return len(self._handles)

    def add(self, handle: Closing, text: str) -> int:
        """Keep it, or close it and say why not."""
        if self._ended or len(self._handles) >= MAX_HANDLES:
            self._closer.begin(handle, self._named(text))
            raise UnitFailed(OPERATION_CANCELED if self._ended else TOO_MANY_HANDLES)
        number = self._closer.number()
        self._handles[number] = handle, text
        return number

    def get(self, number: Value, kind: type[Kind], what: str = "handle") -> Kind:
        """The open handle of that number and class."""
        handle = self._handles[number][0] if self._is_open(number) else None
        if not isinstance(handle, kind):
            raise UnitFailed(invalid(f"{what} is closed"))
        return handle

    async def drop(self, number: Value) -> None:
        """Close it."""
        if self._is_open(number):
            handle, text = self._handles.pop(number)
            await asyncio.shield(self._closer.begin(handle, self._named(text)))

    async def end(self) -> None:
        """Close all, the last first; nothing is kept any more."""
        self._ended = True
        while self._handles:
            await self.drop(next(reversed(self._handles)))

    def refuse(self) -> None:
        """Keep nothing more: the unit has ended."""
        self._ended = True

    def _is_open(self, number: Value) -> bool:
        return type(number) is int and number in self._handles  # True is 1

    def _named(self, text: str) -> str:
        return f"{text} of {self._owner}"


async def carried_out(operation: Operation, asker: Asker, args: tuple[Value, ...]) -> Value:
    """What an operation answers; a defect of it is Internal, and no log has its words: they may hold a value."""
    try:
        return await operation.work(asker, args)
    except UnitFailed:
        raise
    except Exception as error:
        logger.error("an operation of %s (%s) broke: %s", asker.pid, asker.entry, where(error))
        raise UnitFailed(Failure(INTERNAL, f"internal error: {type(error).__name__}")) from None


def text_of(operation: Operation, args: tuple[Value, ...]) -> str:
    """What people read of it, on one line."""
    try:
        text = operation.text(args)[: 4 * MAX_TEXT]
    except Exception as error:
        logger.error("the text of an operation broke: %s", where(error))
        return "an operation"
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def where(error: BaseException) -> str:
    """What went wrong and where, without the words of the error."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames]
    return " ".join((type(error).__name__, "at", *places)) if places else type(error).__name__
