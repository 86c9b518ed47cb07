"""What tests of apps get: a real Temporal with a worker, and steps on a clock that the test moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import UnitFailed, invalid
from wippy_console.testing import Stepping
from wippy_console.testing.workflows import Workflows

ENTRIES = """
version: "1.0"
namespace: app
entries:
  - name: order
    kind: workflow.lua
    source: file://order.lua
    method: main
    modules: [funcs, time]
    meta:
      signals:
        - {topic: decision, label: Approve, payload: {approved: true}}
  - name: charge
    kind: function.python
    callable: tests.console.python_code:charge
  - name: double
    kind: function.lua
    source: file://double.lua
    method: main
"""
ORDER = """
local funcs, time = require("funcs"), require("time")
return {main = function(order)
    local decision = process.listen("decision"):receive()
    time.sleep("1ms")
    return {approved = decision.approved, charge = funcs.call("app:charge", order), twice = funcs.call("app:double", 4)}
end}
"""
FAILURE = invalid("no money")
DONE = {"approved": True, "charge": "charged", "twice": 8}


@pytest.fixture(autouse=True)
def allowed(settings: Any) -> None:
    """Python code that tests may name."""
    settings.PYTHON_FUNCTIONS = ("tests.console.python_code.*",)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Entries of an app."""
    (tmp_path / "_index.yaml").write_text(ENTRIES)
    (tmp_path / "order.lua").write_text(ORDER)
    (tmp_path / "double.lua").write_text("return {main = function(n) return n * 2 end}")
    return tmp_path


def test_a_workflow_runs_on_a_real_server_with_code_of_the_app(workflows: Workflows, folder: Path) -> None:
    workflows.publish(folder)
    run = workflows.start("app:order", {"id": 1})
    run.answer("decision", {"approved": True})
    assert run.result() == DONE
    assert workflows.run_of(run.started.workflow_id).started.run_id == run.started.run_id


def test_tests_share_a_server_and_no_runs(workflows: Workflows, folder: Path) -> None:
    workflows.publish(folder)
    run = workflows.start("app:order", {"id": 2}, id="order-2")
    run.signal("decision", {"approved": True})
    assert run.result() == DONE


def test_what_does_not_come_in_time_is_said(workflows: Workflows, folder: Path) -> None:
    workflows.publish(folder)
    with pytest.raises(AssertionError, match="asks no question later"):
        workflows.start("app:order", {}).question("later", timeout=0.2)


@pytest.mark.django_db
def test_steps_need_no_server_and_the_test_moves_the_clock(driver: Stepping, folder: Path) -> None:
    stepped = driver.run(folder, "app:order", {"id": 1})
    assert stepped.waiting
    stepped.send("decision", {"approved": True})
    assert stepped.waiting
    stepped.advance(1)
    assert stepped.value == DONE


@pytest.mark.django_db
def test_a_test_answers_calls_itself(driver: Stepping, folder: Path) -> None:
    stepped = driver.run(folder, "app:order", {"id": 1}, functions={"app:charge": lambda order: order["id"]})
    stepped.send("decision", {"approved": True})
    stepped.advance(1)
    assert stepped.value == DONE | {"charge": 1}


@pytest.mark.django_db
def test_code_that_fails_does_so_as_on_a_worker(driver: Stepping, folder: Path) -> None:
    def failing(order: Any) -> None:
        raise UnitFailed(FAILURE)

    stepped = driver.run(folder, "app:order", {"id": 1}, functions={"app:charge": failing})
    stepped.send("decision", {"approved": True})
    stepped.advance(1)
    assert stepped.value == {"approved": True, "twice": 8}


def test_what_is_wrong_with_a_folder_is_said_by_file_and_line(driver: Stepping, tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text("version: '1.0'\nnamespace: app\nentries:\n  - name: order\n")
    with pytest.raises(AssertionError, match=r"_index\.yaml:4"):
        driver.run(tmp_path, "app:order")
