"""Tests of an app in a folder of its own, run as `make test ARGS=FOLDER` runs them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = {
    "parcels/__init__.py": "",
    "parcels/apps.py": "from django.apps import AppConfig\n\n\nclass ParcelsConfig(AppConfig):\n    name = 'parcels'\n",
    "parcels/tests/__init__.py": "",
    "parcels/tests/conftest.py": "pytest_plugins = ['wippy_console.testing']\n",
    "parcels/tests/test_parcels.py": """
from django.apps import apps


def test_it_is_installed_and_has_the_fixtures(driver):
    assert apps.is_installed("parcels")
""",
}


def test_an_app_elsewhere_has_its_tests_run_with_the_settings_and_fixtures_of_the_console(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    made = ["make", "--no-print-directory", "-n", "test", f"ARGS={tmp_path / 'parcels'}"]
    shown = subprocess.run(made, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    _python, *command = shlex.split(next(line for line in shown if "-m pytest" in line))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        "WIPPY_APPS": "parcels", "WIPPY_APPS_PATH": str(tmp_path), "WIPPY_DATA": str(tmp_path / "data"),
    }  # fmt: skip
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    command[command.index("-n") + 1] = "0"
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr
