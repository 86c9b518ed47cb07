"""Updates of Temporal: a message from `{update|<id>}`, answered by sending to that pid (docs/temporal.md#updates)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from temporalio.common import RawValue

from engine.errors import CONFLICT, INTERNAL, Failure, UnitFailed, invalid, not_found
from engine.hosts.temporal.wire import failures, payloads
from engine.hosts.temporal.workflow.budget import TaskBudget
from engine.hosts.temporal.workflow.routing import UPDATE_HOST
from engine.pids import Pid
from engine.steps import Value


@dataclass(slots=True)
class _Open:
    answer: asyncio.Future[RawValue]
    acknowledged: bool = field(default=False)


class Updates:
    """The unanswered updates of one run.

    Temporal accepts an update before any code of the run can see it, so `ack` only notes that `nak` came too
    late, and `nak` fails the update instead of refusing it. An update that is never answered ends with the run.
    """

    def __init__(self, budget: TaskBudget) -> None:
        self._budget = budget
        self._open: dict[str, _Open] = {}
        self.refused: list[str] = []
        """Those that were refused since somebody last emptied it, for who observes the run."""

    def sender(self, update_id: str) -> str:
        """The pid that messages of this update come from."""
        return str(Pid("", UPDATE_HOST, update_id))

    async def answer(self, update_id: str) -> RawValue:
        """Wait for the run's answer; raises the ApplicationError of `nak` and `error`."""
        self._open[update_id] = _Open(asyncio.get_running_loop().create_future())
        return await self._open[update_id].answer

    def reply(self, update_id: str, topic: str, values: tuple[Value, ...]) -> bool:
        """Answer by ack, nak, ok or error; raises UnitFailed for a wrong order or another topic."""
        update = self._open.get(update_id)
        if update is None:
            raise UnitFailed(not_found(f"update '{update_id}' not found"))
        value = values[0] if values else None
        match topic:
            case "ack" if not update.acknowledged:
                update.acknowledged = True
            case "ack" | "nak" if update.acknowledged:
                raise UnitFailed(Failure(CONFLICT, f"update '{update_id}' is already accepted", retryable=False))
            case "nak":
                self._fail(update_id, value, "update rejected")
            case "ok":
                self._complete(update_id, value)
            case "error":
                self._fail(update_id, value, "update failed")
            case _:
                raise UnitFailed(invalid(f"unknown update reply '{topic}': use ack, nak, ok or error"))
        return True

    def _complete(self, update_id: str, value: Value) -> None:
        payload = payloads.encode(value, f"result of update {update_id}")
        self._budget.spend(payload.ByteSize(), f"the result of update {update_id}")
        self._open.pop(update_id).answer.set_result(RawValue(payload))

    def _fail(self, update_id: str, value: Value, default: str) -> None:
        failure = value if isinstance(value, Failure) else Failure(INTERNAL, str(value or default), retryable=False)
        self.refused.append(update_id)
        self._open.pop(update_id).answer.set_exception(failures.application_error(failure))
