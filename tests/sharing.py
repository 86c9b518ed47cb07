"""How the suite is shared out among worker processes: file by file, what takes longest first.

A file stays together, since its fixtures (a product, a browser, a site) take seconds to start; so does what each host
runs of the conformance suite, which runs all of its cases at once.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

LONGEST = (
    "tests/story/",
    "tests/hooks/",
    "tests/browser/",
    "tests/console/test_up.py",
    "tests/conformance/",
    "tests/replay/",
    "tests/interop/",
    "tests/console/",
    "tests/hostile/",
    "tests/engine/hosts/",
)
"""Begin with these, in this order: a long file that begins last would leave the other cores idle at the end."""


SLOW = (
    "tests/hooks/test_bad_days.py",
    *("tests/story/", "tests/browser/", "tests/interop/", "tests/replay/"),
    *(
        "tests/console/test_up.py",
        "tests/console/test_worker.py",
        "tests/console/test_two_nodes.py",
        "tests/console/test_endings.py",
    ),
    "tests/engine/hosts/temporal/test_crash.py",
)
"""What `make quick` leaves out: the browser, other languages, old histories, and what kills whole processes."""


def processes(config: pytest.Config) -> int:
    """How many processes `-n auto` means: one more than cores, since tests also wait; none for a file or a few."""
    names = [Path(argument.partition("::")[0]) for argument in config.args]
    return 0 if all(name.is_file() for name in names) else (os.cpu_count() or 1) + 1


def group_of(nodeid: str) -> str:
    """Name what must run in one process, one test after the other."""
    file, _, name = nodeid.partition("::")
    if file.startswith("tests/conformance/"):
        return f"conformance {'on Temporal' if name.endswith('workflow]') else 'elsewhere'}"
    return file


def is_slow(nodeid: str) -> bool:
    """Say whether `make quick` leaves the test out."""
    return nodeid.startswith(SLOW)


def turn_of(nodeid: str) -> int:
    """Say how early a test should begin; smaller is earlier."""
    return next((turn for turn, folder in enumerate(LONGEST) if nodeid.startswith(folder)), len(LONGEST))


def scheduler(config: pytest.Config, log: object) -> object:
    """Make xdist's scheduler of groups share these groups out, in the order of the tests."""
    config.option.loadscopereorder = False
    made = LoadScopeScheduling(config, log)
    made._split_scope = group_of
    return made
