"""Commands that used a client of Temporal end with the code that they mean, each time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from engine.entry import Entry
from tests.console.serving import environment
from tests.console.test_worker import MANAGE, entries, publish, running_node, until
from tests.patience import PATIENCE
from wippy_console.models import Node

pytestmark = pytest.mark.django_db(transaction=True)

TIMES = 10
FLOW = 'return { main = function(n) if n > 0 then return n end return nil, "not above zero" end }'


def ending(number: int) -> tuple[int, str]:
    """Exit code and what was printed of `start --wait`."""
    command = [sys.executable, str(MANAGE), "start", "app:flow", "--wait", "--json", "--input", str(number)]
    done = subprocess.run(command, env=environment(), check=False, capture_output=True, text=True, timeout=PATIENCE)
    data = json.loads(done.stdout)
    return done.returncode, f"{data['status']} {data.get('result', '')}".strip()


def test_start_and_wait_ends_with_its_code_each_time(temporal_address: str, tmp_path: Path) -> None:
    log = tmp_path / "node.log"
    queue = f"queue-{tmp_path.name}"
    publish(*entries(temporal_address, queue), Entry("app:flow", "workflow.lua", {}, {"source": FLOW}))
    with running_node(log) as process:
        until(lambda: queue in Node.objects.get(os_pid=process.pid).task_queues, log=log)
        found = Counter(ending(n % 2) for n in range(2 * TIMES))
    assert found == {(0, "completed 1"): TIMES, (1, "failed"): TIMES}
