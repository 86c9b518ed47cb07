"""`make attack`: every attack as every kind of unit, beside a neighbour; the table, and 1 when one did harm.

Names of attacks and kinds as arguments choose: `make attack ARGS="shared_return workflow"`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.attacks.corpus import attacks
from tests.attacks.judging import faults, run, slow
from tests.attacks.report import Report
from tests.temporal_server import running_temporal

SETTLE = 3.0
"""Seconds in which what an attack left behind may still hurt, and memory is given back."""
KINDS = ("function", "process", "workflow")
HEAD = "| attack | as | ended by | s | MB before | peak | after | neighbour s |"


def _row(name: str, kind: str, report: Report) -> str:
    memory = " | ".join(str(value >> 20) for value in (report.before, report.peak, report.after))
    return f"| {name} | {kind} | {report.ended} | {report.seconds:.1f} | {memory} | {report.wait:.2f} |"


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for, all by default."""
    kinds = [word for word in arguments if word in KINDS] or KINDS
    names = {word for word in arguments if word not in KINDS}
    chosen = [(each, kind) for each in attacks() for kind in each.kinds if kind in kinds]
    chosen = [(each, kind) for each, kind in chosen if not names or each.name in names]
    harm = 0
    _say(HEAD + "\n|---|---|---|--:|--:|--:|--:|--:|")
    with ExitStack() as stack:
        address = stack.enter_context(_temporal()) if any(kind == "workflow" for _, kind in chosen) else ""
        for each, kind in chosen:
            report = run(each, kind, SETTLE, address if kind == "workflow" else "")
            wrong = faults(each, report) + slow(report)
            harm += bool(wrong)
            _say(_row(each.name, kind, report) + "".join(f" <- {what}" for what in wrong))
    _say(f"\n{len(chosen)} attacks, {harm} did harm")
    return 1 if harm else 0


@contextmanager
def _temporal() -> Iterator[str]:
    with ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="wippy-attack-", ignore_cleanup_errors=True)
        yield stack.enter_context(running_temporal(Path(stack.enter_context(folder))))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
