"""Python children notice that their supervisor is gone, also where the kernel sends no signal."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.patience import at_most
from tests.product import is_alive, until
from wippy_console.supervision.children.launch import PARENT

CHILD = """
import time
from wippy_console.supervision.children.parent import watch_parent
watch_parent()
print('watching', flush=True)
time.sleep(60)
"""
SUPERVISOR = f"""
import os, subprocess, sys
child = subprocess.Popen(
    [sys.executable, '-c', {CHILD!r}],
    env={{**os.environ, {PARENT!r}: str(os.getpid())}}, stdout=subprocess.PIPE,
)
assert child.stdout.readline() == b'watching\\n'
print(child.pid, flush=True)
os._exit(1)
"""


def test_a_child_ends_when_its_supervisor_is_gone() -> None:
    supervisor = subprocess.run([sys.executable, "-c", SUPERVISOR], capture_output=True, text=True, check=False)
    child = int(supervisor.stdout)
    until(lambda: not is_alive(child), "the child is gone", at_most(5))


def test_a_process_that_nobody_supervises_watches_nobody() -> None:
    code = "import threading; from wippy_console.supervision.children.parent import watch_parent; watch_parent(); "
    environment = {name: value for name, value in os.environ.items() if name != PARENT}
    done = subprocess.run(
        [sys.executable, "-c", code + "print(threading.active_count())"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "1"
