"""When memory is given back after runs."""

from __future__ import annotations

from engine.heap import LEAST, free_bytes
from engine.hosts.temporal.worker.trimming import Bursts


def test_a_burst_is_over_once() -> None:
    free = [0]
    bursts = Bursts(lambda: free[0])
    seen = []
    for now in (LEAST - 1, LEAST, LEAST, 2 * LEAST - 1, LEAST // 2, LEAST, LEAST // 2 + LEAST):
        free[0] = now
        seen.append(bursts.over())
    assert seen == [False, True, False, False, False, False, True]


def test_this_machine_says_what_is_free_or_that_it_cannot() -> None:
    if free := free_bytes():
        assert free() >= 0
