"""What tests of apps get: a real Temporal with a worker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from engine.entry import Entry
from tests.patience import PATIENCE
from wippy_console import sdk, testing
from wippy_console.env import ROOT
from wippy_console.testing.serving import Workflows, serving, waited

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
        - topic: decision
          label: Decide
          schema: {type: object, properties: {approved: {type: boolean}}}
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
APP_TEST = """
def test_real(workflows):
    workflows.publish(".")
    run = workflows.start("app:order", {"id": 1})
    run.answer("decision", {"approved": True})
    assert run.result()["charge"] == "charged"

def test_stepped(driver):
    fakes = {"app:charge": lambda order: "free", "app:double": lambda n: 0}
    stepped = driver(".", "app:order", {"id": 1}, functions=fakes)
    stepped.send("decision", {"approved": True})
    stepped.advance(1)
    assert stepped.value["charge"] == "free"
"""
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


def test_code_of_django_starts_answers_and_waits(workflows: Workflows, folder: Path) -> None:
    workflows.publish(folder)
    with transaction.atomic():
        sdk.start("app:order", {"id": 3}, id="order-3")
        sdk.signal("order-3", "note", {"text": "in the order of the code"})
    workflows.run_of("order-3").question("decision")
    with pytest.raises(sdk.Invalid, match="approved"):
        sdk.answer("order-3", "decision", {"approved": "nobody knows"})
    sdk.answer("order-3", "decision", {"approved": True})
    assert sdk.result("order-3", timeout=PATIENCE) == DONE
    with pytest.raises(sdk.Conflict):
        sdk.answer("order-3", "decision", {"approved": True})


def test_what_does_not_come_in_time_is_said(workflows: Workflows, folder: Path) -> None:
    workflows.publish(folder)
    with pytest.raises(AssertionError, match="asks no question later"):
        workflows.start("app:order", {}).question("later", timeout=0.2)


def test_fixtures_are_what_the_plugin_gives_whatever_was_imported() -> None:
    for name in testing.__all__:
        assert callable(getattr(testing, name)), name  # a module of the name of a fixture would take its place


def test_the_plugin_serves_tests_of_a_folder_elsewhere(folder: Path) -> None:
    (folder / "test_app.py").write_text(APP_TEST)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "wippy_console.testing",
            "--ds=wippy_console.testing.settings",
            ".",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}", "WIPPY_PYTHON_FUNCTIONS": "tests.console.python_code.*"},
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE,
        check=False,
    )
    assert run.returncode == 0 and "2 passed" in run.stdout, run.stdout + run.stderr


@pytest.mark.skipif(connection.vendor != "postgresql", reason="tells of connections to PostgreSQL")
def test_a_node_that_ended_leaves_no_connection(temporal_server: str, transactional_db: None, settings: Any) -> None:
    settings.TEMPORAL_ADDRESS = temporal_server
    with serving(temporal_server) as served:
        served.publish(Entry("app:flow", "workflow.lua", {}, {"source": "return {main = function() return 1 end}"}))
        assert served.start("app:flow").result() == 1
    waited(lambda: others() == [] or None, "a connection is left", PATIENCE)  # a backend takes a moment to end


def others() -> list[Any]:
    """What connections to this test's database, but this one, did last."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
        )
        return list(cursor.fetchall())
