"""The workflow runner: unsandboxed, with all jobs of one activation applied before any workflow code runs."""

from __future__ import annotations

from dataclasses import replace

from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker._workflow_instance import _WorkflowLogicFlag


class BatchRunner(UnsandboxedWorkflowRunner):
    """Turns on the SDK's single-batch activation, which a later SDK has as its default.

    Without it signals run workflow code before the completions of the same activation are known, and a run
    would take two steps where one is right. The flag is written into the history, so a replay follows it.
    """

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """See the SDK."""
        batch = _WorkflowLogicFlag.PROCESS_WORKFLOW_ACTIVATION_JOBS_AS_SINGLE_BATCH
        flags = det.default_workflow_logic_flags | {batch}
        return super().create_instance(replace(det, default_workflow_logic_flags=flags))
