"""The clock, the entropy and the facts of a workflow, all the same in every replay."""

from __future__ import annotations

from collections.abc import Mapping

from temporalio import workflow

from engine.steps import Value


class WorkflowWorld:
    """The `World` of a run; works only on the workflow's thread, inside its task."""

    def now(self) -> int:
        """The time of the workflow task."""
        return workflow.time_ns()

    def random_bytes(self, count: int) -> bytes:
        """Bytes of the generator that the run's id seeds."""
        return workflow.random().randbytes(count)

    def workflow_info(self) -> Mapping[str, Value] | None:
        """The fields of `workflow.info()` (docs/lua.md#workflow)."""
        info = workflow.info()
        return {
            "workflow_id": info.workflow_id,
            "run_id": info.run_id,
            "workflow_type": info.workflow_type,
            "task_queue": info.task_queue,
            "namespace": info.namespace,
            "attempt": info.attempt,
            "history_length": info.get_current_history_length(),
            "history_size": info.get_current_history_size(),
        }
