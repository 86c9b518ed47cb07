"""What each command of `manage.py` costs and how it ends, as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wippy_console.management.operations import shown
from wippy_console.services import accounts

ROOT = Path(__file__).parents[2]

ENDINGS = {
    "pass": (0, ""),
    "sys.exit()": (0, ""),
    "sys.exit(3)": (3, ""),
    "sys.exit('no such thing')": (1, "no such thing"),
    "raise ImproperlyConfigured('PORT is no number')": (1, "manage.py: PORT is no number"),
    "raise KeyboardInterrupt": (130, ""),
    "raise ValueError('broken')": (1, "ValueError: broken"),
}


def python(code: str, data: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "wippy_console.settings", "WIPPY_DATA": str(data)}
    environment.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize(("what", "code", "says"), [(what, *end) for what, end in ENDINGS.items()])
def test_a_command_ends_with_its_code_whatever_threads_still_run(
    tmp_path: Path, what: str, code: int, says: str
) -> None:
    """The thread would keep a process that ends as Python does for ever."""
    done = python(
        "import sys, threading\n"
        "from django.core.exceptions import ImproperlyConfigured\n"
        "from wippy_console.management.ending import end_as_meant\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        f"def run():\n    print('printed', end='')\n    {what}\n"
        "end_as_meant(run)",
        tmp_path,
    )
    assert (done.returncode, done.stdout) == (code, "printed")
    assert says in done.stderr


def test_a_command_for_operators_loads_neither_pages_nor_the_server_nor_the_admin(tmp_path: Path) -> None:
    heavy = ("twisted", "daphne", "autobahn", "wippy_console.urls", "wippy_console.admin")
    done = python(
        "import sys\nfrom django.core.management import execute_from_command_line\n"
        "try:\n    execute_from_command_line(['manage.py', 'runs'])\n"
        f"finally:\n    print([name for name in {heavy} if name in sys.modules])",
        tmp_path,
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.django_db
def test_long_names_that_begin_alike_are_two_accounts() -> None:
    names = {accounts.command_line("x" * 200 + end).get_username() for end in "ab"}
    assert len(names) == 2
    assert all(len(each) <= 150 for each in names)


def test_bytes_of_a_result_are_printed_as_on_the_wire() -> None:
    assert json.loads(shown({"result": {"raw": b"\x00\xff", "text": "ü"}})) == {
        "result": {"raw": {"$bytes": "AP8="}, "text": "ü"}
    }
