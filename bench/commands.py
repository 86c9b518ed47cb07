"""What a command of `manage.py` costs: seconds of a core against those of Django's own start."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from statistics import median

from bench.figure import Figure
from wippy_console.env import ROOT

TIMES = 7
SETUP = ("-c", "import django; django.setup()")
COMMAND = (str(ROOT / "manage.py"), "runs")


def command_against_setup() -> Figure:
    """The share of a command that lists runs which is Django's own start."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "wippy_console.settings", "WIPPY_DATA": folder}
        environment.pop("DATABASE_URL", None)
        _cpu(environment, str(ROOT / "manage.py"), "migrate")
        setup, command = (median(_cpu(environment, *arguments) for _ in range(TIMES)) for arguments in (SETUP, COMMAND))
    detail = f"`manage.py runs` takes {command:.2f} s of a core (0.6 to reach), django.setup() {setup:.2f} s"
    return Figure("django.setup() / one manage.py command", setup / command, 0.4, detail)


def _cpu(environment: dict[str, str], *arguments: str) -> float:
    """Seconds of a core, the kernel's included, of one Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
