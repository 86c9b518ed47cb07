"""Tests of an app that lies outside of this repository, as docs/python.md says to run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from wippy_console.env import ROOT

FILES = {
    "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = wippy_console.testing.settings\n",
    "conftest.py": 'pytest_plugins = ["wippy_console.testing"]\n',
    "billing/__init__.py": "",
    "billing/functions.py": "def charge(ctx, number):\n    return number + 1\n",
    "entries/_index.yaml": """
namespace: billing
entries:
  - {name: charge, kind: function.python, callable: "billing.functions:charge"}
  - {name: flow, kind: workflow.lua, source: "file://flow.lua", method: main, modules: [funcs]}
""",
    "entries/flow.lua": """
local function main(number)
    return (require("funcs").call("billing:charge", number))
end
return {main = main}
""",
    ".venv/package/_index.yaml": "no: [yaml",
    "tests/__init__.py": "",
    "tests/test_flow.py": """
def test_it_is_charged(driver):
    assert driver("HERE", "billing:flow", 1).value == 2

def test_the_console_has_its_groups(db):
    from django.contrib.auth.models import Group
    assert Group.objects.filter(name="viewer").exists()
""",
}


def test_tests_of_an_app_run_from_its_own_folder(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text.replace("HERE", str(tmp_path)))
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    variables = {**inherited, "WIPPY_APPS": "billing", "WIPPY_APPS_PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
