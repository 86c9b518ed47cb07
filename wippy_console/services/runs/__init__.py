"""Runs: find and start them, wait for their ends, and read their histories."""

from __future__ import annotations

from wippy_console.services.runs.again import Again, again, id_again
from wippy_console.services.runs.chains import Chain, chain_of
from wippy_console.services.runs.files import history_file, is_masked, payload_file, value_file
from wippy_console.services.runs.keys import starting_keys
from wippy_console.services.runs.newest import newest_of
from wippy_console.services.runs.pids import is_run, latest, succeeding
from wippy_console.services.runs.searching import (
    by_pid,
    children,
    filtered,
    get,
    hidden_children,
    matching,
    newer,
    newest_of_text,
    parent,
    search,
    search_problem,
    visible,
)
from wippy_console.services.runs.starting import likely_worker, named_worker, start, startable, workers
from wippy_console.services.runs.tree import Branch, ancestors, listed, tree
from wippy_console.services.runs.values import Page, Started, StillRunningError
from wippy_console.services.runs.waiting import ended, result
from wippy_console.services.runs.wanted import Wanted
from wippy_console.services.runs.whole import value
from wippy_console.services.secrets import history

__all__ = [
    "Again",
    "Branch",
    "Chain",
    "Page",
    "Started",
    "StillRunningError",
    "Wanted",
    "again",
    "ancestors",
    "by_pid",
    "chain_of",
    "children",
    "ended",
    "filtered",
    "get",
    "hidden_children",
    "history",
    "history_file",
    "id_again",
    "is_masked",
    "is_run",
    "latest",
    "likely_worker",
    "listed",
    "matching",
    "named_worker",
    "newer",
    "newest_of",
    "newest_of_text",
    "parent",
    "payload_file",
    "result",
    "search",
    "search_problem",
    "start",
    "startable",
    "starting_keys",
    "succeeding",
    "tree",
    "value",
    "value_file",
    "visible",
    "workers",
]
