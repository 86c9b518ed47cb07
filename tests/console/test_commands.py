"""Commands of operators, against a node (`manage.py worker`), a real Temporal and Lua programs."""

from __future__ import annotations

import io
import json
import os
import pwd
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from engine.entry import Entry
from tests.console.operating import make_cast
from tests.console.serving import environment
from tests.patience import PATIENCE
from wippy_console import permissions
from wippy_console.management.commands import signal as signalling
from wippy_console.management.operations import operator
from wippy_console.models import Decision, FeedEvent, Node, Question, Run
from wippy_console.services import accounts, decisions, histories, registry, temporal, timeline
from wippy_console.services.errors import Conflict
from wippy_console.services.registry import Changes

pytestmark = pytest.mark.django_db(transaction=True)

MANAGE = Path(__file__).parents[2] / "manage.py"

APPROVAL = """
local time = require("time")
local function main(order)
    local decision = process.listen("decision")
    local result = channel.select({decision:case_receive(), time.after("10m"):case_receive()})
    local answer = result.value
    if order and order.fail then return nil, "failed as asked" end
    return {approved = answer.approved, comment = answer.comment, from = order}
end
return {main = main}
"""
QUICK = """
return {main = function(order)
    if type(order) == "table" and order.fail then return nil, "as asked" end
    return order
end}
"""
SLEEPER = """
local time = require("time")
return {main = function(name) time.sleep("50ms") return "slept as " .. tostring(name) end}
"""
SIGNALS = [
    {
        "topic": "decision",
        "label": "Approve",
        "payload": {"approved": True},
        "schema": {"type": "object", "properties": {"comment": {"type": "string"}}, "required": ["comment"]},
        "reason": "required",
    }
]
NAMED = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
TESTS = {
    "passes": "return 1",
    "nothing": "return nil",
    "says_false": "return false",
    "raises": 'error("boom")',
    "second": 'return true, "went wrong"',
    "slow": 'require("time").sleep("20s")',
}


def entries(address: str, queue: str) -> list[Entry]:
    def lua(name: str, kind: str, source: str, **meta: Any) -> Entry:
        return Entry(f"app:{name}", kind, meta, {"source": source, "method": "main", "modules": ["time"]})

    tests = [
        lua(f"test_{name}", "function.lua", f"return {{main = function() {body} end}}", type="test", suite=suite)
        for name, body in TESTS.items()
        for suite in ["slow" if name == "slow" else "fast"]
    ]
    return [
        Entry("app:client", "temporal.client", {}, {"address": address}),
        Entry("app:worker", "temporal.worker", {}, {"client": "app:client", "task_queue": queue}),
        Entry("app:processes", "process.host", {}, {"host": {}}),
        lua("approval", "workflow.lua", APPROVAL, signals=SIGNALS),
        lua("quick", "workflow.lua", QUICK),
        lua("sleeper", "process.lua", SLEEPER),
        lua("add", "function.lua", "return {main = function(a, b) return (a or 0) + (b or 0) end}"),
        lua(
            "pet",
            "process.lua",
            "return {main = function() while true do process.inbox():receive() end end}",
            input_schema=NAMED,
        ),
        lua("order", "workflow.lua", QUICK, input_schema=NAMED),
        lua("fee", "function.lua", QUICK, input_schema=NAMED),
        lua("broken", "function.lua", 'return {main = function() return nil, "no luck" end}'),
        *tests,
    ]


@pytest.fixture
def published(temporal_address: str) -> Iterator[None]:
    """The registry of the tests, without a node."""
    temporal.reset()
    changes = Changes(create=tuple(entries(temporal_address, f"q-{uuid.uuid4().hex[:8]}")))
    registry.publish(operator(), changes, base=None, message="test")
    yield
    temporal.reset()


@pytest.fixture
def node(published: None) -> Iterator[None]:
    """A node process on that registry."""
    with subprocess.Popen([sys.executable, str(MANAGE), "worker"], env=environment()) as process:
        try:
            until(lambda: "wippy-fleet" in serves(process.pid))
            yield
        finally:
            process.kill()


def serves(os_pid: int) -> list[str]:
    """The task queues that the node serves by now."""
    node = Node.objects.filter(os_pid=os_pid, stopped_at=None).first()
    return list(node.task_queues) if node else []


def until(probe: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    end = time.monotonic() + seconds
    while not (found := probe()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def run(*args: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command(*args, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def run_json(*args: str) -> Any:
    return json.loads(run(*args, "--json"))


def refused(*args: str) -> str:
    """The one line that the command fails with."""
    with pytest.raises(CommandError) as failure:
        run(*args)
    assert "\n" not in str(failure.value)
    assert failure.value.returncode == 1
    return str(failure.value)


def test_a_workflow_starts_takes_a_signal_and_ends(node: None) -> None:
    pid = run("start", "app:approval", "--id", "order 7", "--input", '{"amount": 7}')
    assert pid == "{app:client@app:worker|order 7}"
    until(lambda: Run.objects.get().waiting)
    assert "sent decision" in run("signal", pid, "decision", '{"approved": true, "comment": "ok"}', "--reason", "fine")
    until(lambda: Run.objects.filter(status="completed").exists())
    (listed,) = run_json("runs", "--text", "order")["runs"]
    assert (listed["pid"], listed["status"], listed["entry_id"]) == (pid, "completed", "app:approval")
    events = run_json("history", pid)["events"]
    (signal,) = [event for event in events if event["type"] == "WorkflowExecutionSignaled"]
    assert signal["attributes"]["identity"].startswith("cli:")
    assert "WorkflowExecutionCompleted" in run("history", pid)


def test_a_signal_leaves_the_rows_that_the_console_leaves(node: None) -> None:
    """The projection need not have seen the run: what Temporal knows counts."""
    pid = run("start", "app:approval", "--id", "order 8")
    assert Run.objects.get().started_by == account()
    until(Question.objects.exists)  # the node has nothing more to write of the run
    Run.objects.all().delete()
    run("signal", pid, "note")
    run("signal", pid, "decision", '{"approved": true}', "--raw")
    until(lambda: Run.objects.filter(status="completed").exists())
    made = list(Decision.objects.order_by("created_at"))
    assert [(each.topic, each.payload, each.state, each.user) for each in made] == [
        ("note", None, "sent", account()),
        ("decision", {"approved": True}, "sent", account()),
    ]
    rows = FeedEvent.objects.filter(kind="SIGNAL").order_by("id")
    assert [row.data["user"] for row in rows] == [account().username] * 2
    events = {event["id"]: event for event in run_json("history", pid)["events"]}
    note, decision = [events[each.event_id]["attributes"] for each in made if each.event_id]
    assert (len(note["input"]), len(decision["input"])) == (0, 1)
    assert {note["identity"], decision["identity"]} == {account().username}
    assert "has ended" in refused("signal", pid, "decision", "1")


def test_a_signal_reaches_the_run_that_took_over_meanwhile(node: None, monkeypatch: pytest.MonkeyPatch) -> None:
    run("start", "app:quick", "--id", "order 9", "--wait")
    first = until(lambda: Run.objects.filter(status="completed").first())
    second = run_json("start", "app:approval", "--id", "order 9")
    monkeypatch.setattr(signalling, "run_or_process", lambda *_: first)
    run("signal", second["pid"], "decision", '{"approved": true}', "--raw")
    until(lambda: Run.objects.get(run_id=second["run_id"]).status == "completed")
    assert Decision.objects.get(state="sent").run_id == second["run_id"]


def test_an_answer_at_the_command_line_is_one_of_the_console(node: None) -> None:
    pid = run("start", "app:approval", "--id", "order 10")
    until(Question.objects.exists)
    fine = ("signal", "order 10", "decision", '{"comment": "ok"}', "--reason", "cheap")
    assert "--reason: A reason is required." in refused(*fine[:4])
    assert "comment: This field is required." in refused(*fine[:3], "--reason", "x")
    assert "none of what is declared: Approve" in refused(*fine[:3], '{"approved": false, "comment": "no"}')
    assert "no 'Reject' among" in refused(*fine, "--label", "Reject")
    assert not Decision.objects.exists()
    assert run(*fine) == f"sent decision to {pid}"
    made = Decision.objects.get()
    assert (made.question, made.payload, made.reason) == (
        Question.objects.get(),
        {"comment": "ok", "approved": True},
        "cheap",
    )
    assert (made.label, made.user) == ("Approve", account())
    until(lambda: Run.objects.filter(status="completed").exists())
    ended = refused(*fine)
    assert "The run has ended (completed) at" in ended
    assert ended == refused("signal", Run.objects.get().run_id, *fine[2:]) == refused(*fine, "--raw")


def test_who_acts_for_another_has_the_others_rights_and_both_are_named(node: None) -> None:
    cast = make_cast()
    pid = run("start", "app:approval", "--id", "order 11", "--as", "operator")
    assert Run.objects.get().started_by == User.objects.get(username__endswith="/operator")
    assert "You may not start runs" in refused("start", "app:approval", "--as", "viewer")
    assert "You may not" in refused("signal", pid, "other", "--as", "viewer")
    until(Question.objects.exists)
    run("signal", pid, "decision", '{"comment": "ok"}', "--reason", "fine", "--as", "operator")
    made = Decision.objects.get()
    name = f"cli:{pwd.getpwuid(os.getuid()).pw_name}/operator"
    assert made.user.get_username() == name and made.user != cast.operator
    until(lambda: Run.objects.filter(status="completed").exists())
    events = run_json("history", pid)["events"]
    (signal,) = [event for event in events if event["type"] == "WorkflowExecutionSignaled"]
    assert signal["attributes"]["identity"] == name
    cast.operator.is_active = False
    cast.operator.save()
    assert "There is no active user 'operator'" in refused("cancel", pid, "--as", "operator")
    cast.viewer.groups.clear()
    run_id = Run.objects.get().run_id
    assert "There is no run with the id" in refused("cancel", run_id, "--as", "viewer")
    stored = User.objects.get(username=name)
    assert not stored.is_active and not stored.has_usable_password() and not stored.is_superuser


def test_runs_and_processes_are_cancelled_and_terminated(node: None) -> None:
    first, second = (run("start", "app:approval", "--id", f"order {n}") for n in (12, 13))
    pet, other = (run("start", "app:pet", "--input", '{"name": "rex"}') for _ in range(2))
    assert run("cancel", "order 12", "--reason", "not needed") == f"asked {first} to stop"
    assert "--reason: A reason is required." in refused("cancel", second, "--terminate")
    assert run("cancel", second, "--terminate", "--reason", "now") == f"terminated {second}"
    assert run("cancel", pet) == f"asked {pet} to stop"
    assert run("cancel", other, "--terminate", "--reason", "now") == f"terminated {other}"
    until(lambda: Run.objects.get(workflow_id="order 13").status == "terminated")
    told = {(each.action, each.reason, each.user) for each in Decision.objects.all()}
    assert told == {("cancel", "not needed", account()), ("terminate", "now", account())}
    rows = FeedEvent.objects.filter(kind="OPERATION").exclude(data__action="spawn").order_by("id")
    assert [(row.data["action"], row.pid) for row in rows] == [("cancel", pet), ("terminate", other)]
    assert "has ended" in refused("cancel", second)


def account() -> User:
    """The one of whoever runs the tests."""
    return User.objects.get(username__startswith="cli:", username__regex="^[^/]*$")


def test_nobody_signs_in_by_the_account_of_the_command_line() -> None:
    made = accounts.command_line("root")
    assert permissions.allows(made, permissions.TERMINATE_RUN) and permissions.in_role(made, "approvers")
    stored = User.objects.get()
    assert not stored.is_active and not stored.is_superuser and not stored.has_usable_password()
    assert not permissions.allows(stored, permissions.VIEW_RUN)
    assert accounts.command_line("root") == stored
    assert (accounts.identity(stored), accounts.identity(User(username="cli"))) == ("cli:root", "user:cli")


def test_a_variable_names_nobody_else_at_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "olga")
    monkeypatch.setenv("USER", "olga")
    assert operator().get_username() == f"cli:{pwd.getpwuid(os.getuid()).pw_name}"


def test_what_is_done_to_processes_is_told(node: None) -> None:
    pid = run("start", "app:sleeper", "--input", '"anna"', "--id", "anna's")
    ended = run_json("start", "app:sleeper", "--wait")["pid"]
    pet = run("start", "app:pet", "--input", '{"name": "rex"}')
    run("signal", pet, "food", '{"kind": "bone"}')
    run("signal", pet, "bed")
    rows = FeedEvent.objects.filter(kind="OPERATION").order_by("id")
    told = [(row.data["action"], row.pid, row.data.get("args"), row.data.get("payload")) for row in rows]
    assert told == [
        ("spawn", pid, ["anna"], None),
        ("spawn", ended, [], None),
        ("spawn", pet, [{"name": "rex"}], None),
        ("message", pet, None, {"kind": "bone"}),
        ("message", pet, None, None),
    ]
    assert {(row.data["user"], row.data["outcome"]) for row in rows} == {(account().username, "done")}
    assert rows[0].data["name"] == "anna's" and rows[0].entry_id == "app:sleeper"


def test_input_that_does_not_fit_is_refused_and_leaves_no_row(node: None) -> None:
    for bare in (("start", "app:pet"), ("start", "app:pet", "--wait"), ("start", "app:order"), ("call", "app:fee")):
        assert refused(*bare) == "The input is not what the entry asks for. name: This field is required."
    for command in (("start", "app:pet", "--input"), ("start", "app:order", "--input"), ("call", "app:fee")):
        assert "name: Must be of type string." in refused(*command, '{"name": 7}')
    pet = run("start", "app:pet", "--input", '{"name": "rex"}')
    for topic in ("@pid/cancel", " ", "x" * 501):
        assert "A topic has 1 to 500 characters" in refused("signal", pet, topic)
    assert "its node does not run" in refused("signal", "{gone@app:processes|0x1}", "topic")
    assert [row.data["action"] for row in FeedEvent.objects.filter(kind="OPERATION")] == ["spawn"]


def test_wait_prints_the_result_or_fails_with_the_failure(node: None) -> None:
    told = run("start", "app:quick", "--wait", "--input", '{"a": [1, 2]}').splitlines()
    assert told[0].startswith("{app:client@app:worker|")
    assert json.loads(told[1]) == {"a": [1, 2]}
    data = run_json("start", "app:quick", "--wait", "--input", "5")
    assert (data["status"], data["result"]) == ("completed", 5)
    assert refused("start", "app:quick", "--wait", "--input", '{"fail": true}') == "Internal: as asked"


def test_a_process_starts_on_a_node(node: None) -> None:
    pid = run_json("start", "app:sleeper", "--input", '"anna"')["pid"]
    assert "app:processes|" in pid
    told = run_json("start", "app:sleeper", "--wait", "--input", '"anna"')
    assert told["result"] == "slept as anna"
    assert "@app:processes|" in told["pid"]


def test_call_runs_a_function_on_a_worker(node: None) -> None:
    assert run("call", "app:add", "2", "3") == "5"
    assert run_json("call", "app:add", "2")["result"] == 2
    assert refused("call", "app:broken") == "Internal: no luck"
    assert "app:quick is a workflow.lua" in refused("call", "app:quick")


def test_a_message_to_nobody_says_so(node: None) -> None:
    assert "not found" in refused("signal", "{app:client@app:worker|nobody}", "decision")


def test_test_entries_report_each_and_fail_together(node: None) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="3 of 5 tests failed"):
        call_command("testentries", "--suite", "fast", "--json", stdout=out)
    data = json.loads(out.getvalue())
    assert (data["passed"], data["failed"]) == (2, 3)
    by_id = {result["id"]: result for result in data["results"]}
    assert {name for name, result in by_id.items() if result["ok"]} == {"app:test_passes", "app:test_nothing"}
    assert by_id["app:test_says_false"]["error"] == "returned false"
    assert "boom" in by_id["app:test_raises"]["error"]
    assert "went wrong" in by_id["app:test_second"]["error"]
    assert all(result["suite"] == "fast" and result["seconds"] >= 0 for result in data["results"])


def test_test_entries_that_pass_exit_well_and_slow_ones_fail(node: None) -> None:
    told = run("testentries", "--filter", "passes").splitlines()
    assert told[0].startswith("ok   app:test_passes")
    assert told[-1] == "1 passed, 0 failed"
    assert "1 of 1" in refused("testentries", "--suite", "slow", "--timeout", "1")
    assert "no entry" in refused("testentries", "--suite", "no such")


def test_without_a_worker_calls_say_so(published: None) -> None:
    assert "No worker is alive" in refused("call", "app:add", "2", "3")
    assert "No worker is alive" in refused("testentries")
    assert "No worker is alive" in refused("start", "app:sleeper")
    assert not FeedEvent.objects.filter(kind="OPERATION").exists()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("start", "no:such"), "There is no entry no:such."),
        (("start", "app:add"), "function.lua"),
        (("start", "app:quick", "--input", "{"), "--input: This is no JSON"),
        (("start", "app:quick", "--host", "no:host"), "--host: There is no usable worker no:host"),
        (("start", "app:sleeper", "--host", "no:host"), "--host: no:host is no process.host."),
        (("start", "app:quick", "--input", "[" * 100_000), "--input: This JSON is nested too deeply."),
        (("start", "app:quick", "--input", "1" * 5000), "--input: "),
        (("start", "app:quick", "--input", '{"a":\n 1,}'), "(line 2, column"),
        (("start", "app:quick", "--id", "x" * 2000), "--id: At most"),
        (("start", "app:quick", "--id", " x"), "--id: An id does not begin or end with a space."),
        (("start", "app:quick", "--as", "nobody"), "--as: There is no active user 'nobody'."),
        (("signal", "nonsense", "topic"), "There is no run with the id 'nonsense': give a workflow id"),
        (("signal", "{a@b", "topic"), "is no pid"),
        (("signal", "{a@b|c}", "topic", "{"), "JSON: This is no JSON"),
        (("cancel", "nonsense"), "There is no run with the id 'nonsense'"),
        (("call", "app:add", "nope"), "argument 1: This is no JSON"),
        (("history", "nobody"), "There is no run of nobody."),
    ],
)
def test_bad_input_is_refused_in_one_line(published: None, args: tuple[str, ...], says: str) -> None:
    assert says in refused(*args)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command(*args, "--json", stdout=out)
    assert says in json.loads(out.getvalue())["error"]


def test_a_refused_command_exits_with_one_and_one_line(published: None) -> None:
    done = subprocess.run(
        [sys.executable, str(MANAGE), "start", "no:such"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == "" and done.stderr.strip().splitlines() == ["CommandError: There is no entry no:such."]


def test_a_decision_moves_a_lua_workflow_and_is_on_its_timeline(node: None) -> None:
    """The whole way: the entry declares, the workflow waits, a person answers, the run ends by it."""
    cast = make_cast()
    started = run_json("start", "app:approval", "--input", '{"amount": 7}')
    question = until(lambda: Question.objects.filter(run_id=started["run_id"], closed_at=None).first())
    waiting = Run.objects.get(pk=started["run_id"])
    assert (question.channel, question.deadline is not None) == ("decision", True)
    (button,) = decisions.buttons(cast.operator, waiting)
    assert button.enabled and button.question == question
    made = decisions.decide(cast.operator, waiting, 0, {"comment": "go"}, reason="fits", question_id=question.pk)
    until(lambda: Run.objects.filter(pk=waiting.pk, status="completed").exists())
    waiting.refresh_from_db()
    assert waiting.result == {"approved": True, "comment": "go", "from": {"amount": 7}}
    with pytest.raises(Conflict, match="operator already answered"):
        decisions.decide(cast.author, waiting, 0, {"comment": "no"}, reason="late", question_id=question.pk)
    rows = {row.kind: row for row in timeline.rows(waiting).rows}
    assert rows["question"].decision == made and rows["signal"].decision == made
    assert rows["exit"].state == "completed" and rows["timer"].state in ("canceled", "fired")
    assert Decision.objects.count() == 1
    assert (
        len([e for e in histories.read(waiting).events if e.HasField("workflow_execution_signaled_event_attributes")])
        == 1
    )
