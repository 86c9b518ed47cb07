"""`manage.py signal`: whom a message goes to when another run took over, and what it refuses."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from engine.pids import Pid
from tests.console.operating import CLIENT, WORKER, Stage
from wippy_console.models import Decision, Run
from wippy_console.services import histories, runs, temporal

pytestmark = pytest.mark.django_db(transaction=True)

PROCESS = "{gone@app:processes|0x1}"


def signal(*args: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("signal", *args, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def refused(*args: str) -> str:
    with pytest.raises(CommandError) as failure:
        signal(*args)
    return str(failure.value)


def reset(run: Run) -> None:
    """As `temporal workflow reset --type FirstWorkflowTask --reapply-exclude All`."""
    client = temporal.client(CLIENT)
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace, workflow_execution=WorkflowExecution(workflow_id=run.workflow_id), reason="again",
        workflow_task_finish_event_id=3, request_id=str(uuid.uuid4()),
        reset_reapply_exclude_types=[ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL],
    )  # fmt: skip
    temporal.run(client.workflow_service.reset_workflow_execution(request))


def successor(run: Run) -> Run:
    return runs.latest(Pid(CLIENT, WORKER, run.workflow_id))


def signals(run: Run) -> list[Any]:
    """The signals in the run's history."""
    return [each for each in histories.newest(run) if each.HasField("workflow_execution_signaled_event_attributes")]


@pytest.mark.parametrize("entry", ["app.flows:approval", "app.flows:again"])
def test_an_answered_question_is_refused_and_the_run_that_took_over_hears_nothing(on_stage: Stage, entry: str) -> None:
    run = on_stage.start(entry, *([{"wanted": 2}] if entry == "app.flows:approval" else []))
    on_stage.ask(run)
    answer = (run.workflow_id, "decision", '{"approved": false}')
    signal(*answer)
    if entry == "app.flows:approval":
        reset(run)
    newer = until_taken_over(run)
    Run.objects.filter(pk=newer.pk).delete()  # the rows come after Temporal
    assert "already answered: Reject" in refused(*answer)
    assert signals(newer) == []
    assert Decision.objects.count() == 1


def until_taken_over(run: Run) -> Run:
    for _ in range(200):
        newer = successor(run)
        if newer.pk != run.pk:
            return newer
    raise AssertionError("nothing took over")


def test_a_message_to_a_run_that_continued_reaches_the_run_that_took_over(on_stage: Stage) -> None:
    run = on_stage.start("app.flows:again")
    signal(run.workflow_id, "comment", "{}")
    newer = until_taken_over(run)
    Run.objects.filter(pk=newer.pk).delete()
    signal(run.workflow_id, "comment", '{"second": true}')
    assert len(signals(newer)) == 1
    assert "had ended already" in refused(run.run_id, "comment", "{}"), "the id of a run means this run alone"


@pytest.mark.parametrize("flag", [("--reason", "fine"), ("--label", "Approve"), ("--raw",)])
def test_what_a_process_has_no_use_for_is_refused_by_the_name_of_its_flag(on_stage: Stage, flag: tuple[str]) -> None:
    assert refused(PROCESS, "topic", *flag).startswith(f"{flag[0]}: ")
    assert "its node does not run" in refused(PROCESS, "topic")
