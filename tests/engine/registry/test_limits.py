"""Limits of an entry's own: what is refused, and how they become part of the program."""

from __future__ import annotations

from typing import Any

import pytest

from engine.entry import Entry
from engine.program import OwnLimits, Program
from engine.registry.from_lua import read_entry
from engine.registry.linking import link
from tests.engine.registry.checking import entry, library, problems, told

BEFORE = "7c892ecfd0db550cd63fe0ab28e89b9ddf5d0cc4ba92758ee81679f3aadc0600"
"""The digest of `program()` as it was when no entry could have limits."""
PARTS = "take the work in parts: each wait, such as time.sleep('1ms'), begins a new step"
FUNCTION = "leave the work to a function, which may have 1000000000 and 512 MiB"


def limited(kind: str, limits: Any) -> Entry:
    return entry("x", kind, source="return {}", limits=limits)


def program(**fields: Any) -> Program:
    calling = entry(
        "f", "function.lua", source="return 1", method="main", modules=["json"], imports={"u": "app:u"}, **fields
    )
    return link("app:f", {"app:f": calling, "app:u": library("u")})


@pytest.mark.parametrize(
    ("kind", "instructions", "memory", "hint"),
    [
        ("function.lua", 1_000_000_000, 512, PARTS),
        ("process.lua", 1_000_000_000, 512, PARTS),
        ("workflow.lua", 100_000_000, 256, FUNCTION),
    ],
)
def test_each_kind_has_a_ceiling_and_beyond_it_is_told_what_to_do(
    kind: str, instructions: int, memory: int, hint: str
) -> None:
    assert told(limited(kind, {"instructions": instructions, "memory": memory})) == []
    assert told(limited(kind, {"instructions": instructions + 1, "memory": memory + 1})) == [
        f"app:x limits.instructions: must be at most {instructions}, not {instructions + 1} ({hint})",
        f"app:x limits.memory: must be at most {memory}, not {memory + 1} ({hint})",
    ]


def test_limits_may_be_lower_but_not_so_low_that_nothing_runs() -> None:
    assert told(limited("function.lua", {"instructions": 100_000})) == []
    assert told(limited("function.lua", {"instructions": 0, "memory": 0})) == [
        "app:x limits.instructions: must be at least 100000, not 0",
        "app:x limits.memory: must be at least 1, not 0",
    ]


@pytest.mark.parametrize(
    ("limits", "where"),
    [
        (5, "limits"),
        ({"memory": "256MiB"}, "limits.memory"),
        ({"memory": True}, "limits.memory"),
        ({"memory": 1.5}, "limits.memory"),
        ({"instructions": "${env:MOST|1000000}"}, "limits.instructions"),
        ({"memmory": 256}, "limits.memmory"),
    ],
)
def test_anything_else_is_named_by_its_field(limits: Any, where: str) -> None:
    (problem,) = problems(limited("process.lua", limits))
    assert problem.field == where


def test_a_library_has_the_limits_of_who_imports_it() -> None:
    (problem,) = problems(library("l", limits={"memory": 256}))
    assert (problem.field, problem.severity) == ("limits", "warning")


def test_the_digest_of_a_program_without_limits_is_what_it_always_was() -> None:
    assert program().digest == program(limits={}).digest == BEFORE
    assert "limits" not in program().to_json()


def test_limits_make_another_program_that_survives_storage() -> None:
    raised = program(limits={"instructions": 3e8})
    assert raised.limits == OwnLimits(instructions=300_000_000)
    assert raised.to_json()["limits"] == {"instructions": 300_000_000}
    assert len({BEFORE, raised.digest, program(limits={"memory": 256}).digest}) == 3
    assert Program.from_json(raised.to_json()) == raised
    assert Program.from_json(program().to_json()).limits == OwnLimits()


@pytest.mark.parametrize("limits", [7, [], {"memory": "many", "instructions": -1}, {"memory": True}])
def test_what_was_published_unchecked_as_limits_is_none(limits: Any) -> None:
    assert program(limits=limits).digest == BEFORE


def test_empty_limits_of_lua_are_a_map() -> None:
    value = {"id": "app:x", "kind": "function.lua", "data": {"source": "return {}", "limits": []}}
    assert read_entry(value).data["limits"] == {}
