"""Runs attacks in processes of their own, and says what is wrong with what they showed."""

from __future__ import annotations

import subprocess
import sys

from engine.steps import DEFAULT_LIMITS
from tests.attacks.corpus import Attack
from tests.attacks.report import Report
from tests.attacks.stage import HOST_MIB, QUARANTINED

SLACK = 96 << 20
"""What a worker may need beside: results of Python, arenas that are not full, a picture of what is in flight."""
LONGEST_WAIT = 1.0
DEADLINE = 150.0


def run(attack: Attack, kind: str, settle: float, temporal: str = "") -> Report:
    """Run one, and `settle` seconds more; a process that answers nothing in time is `stuck`, one that died `dead`."""
    command = [sys.executable, "-m", "tests.attacks.child", attack.name, kind, str(settle), temporal]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
    except subprocess.TimeoutExpired:
        return Report("stuck", DEADLINE, wait=DEADLINE)
    lines = done.stdout.splitlines()
    return Report.loaded(lines[-1]) if lines else Report(f"dead ({done.returncode})", text=done.stderr[-300:])


def budget(attack: Attack) -> int:
    """Bytes by which the memory of its worker may rise."""
    return max(2 * DEFAULT_LIMITS.max_memory, 2 * HOST_MIB << 20 if attack.many else 0) + SLACK


def faults(attack: Attack, report: Report) -> list[str]:
    """What is wrong, whatever else the machine does."""
    found = [] if report.ended in {*attack.ends, QUARANTINED} else [f"ended by {report.ended}: {report.text}"]
    if report.peak - report.before > budget(attack):
        found.append(f"memory rose by {(report.peak - report.before) >> 20} MB of {budget(attack) >> 20}")
    return found


def slow(report: Report) -> list[str]:
    """What is wrong on a quiet machine."""
    return [f"a neighbour waited {report.wait:.1f} s"] if report.wait > LONGEST_WAIT else []
