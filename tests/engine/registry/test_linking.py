from __future__ import annotations

import pytest

from engine.entry import Entry
from engine.errors import ProgramError
from engine.program import Program
from engine.registry.linking import link
from engine.testing import Driver
from tests.engine.registry.checking import entry, function, library


def by_id(*entries: Entry) -> dict[str, Entry]:
    return {each.id: each for each in entries}


SHOP = by_id(
    function("f", modules=["time", "json", "time"], imports={"money": "money"}, method="run"),
    library("money", imports={"round": "app:round"}),
    library("round"),
    library("other"),
)


def test_a_program_holds_the_entry_and_all_that_it_imports() -> None:
    program = link("app:f", SHOP)
    assert list(program.chunks) == ["app:f", "app:money", "app:round"]
    assert (program.kind, program.method) == ("function.lua", "run")
    assert program.chunks["app:f"].modules == ("json", "time")
    assert program.chunks["app:money"].imports == {"round": "app:round"}


def test_the_source_stays_as_it_was_written() -> None:
    typed = entry("t", "function.lua", source="local x: number = 1\nreturn x")
    assert link("app:t", by_id(typed)).chunks["app:t"].source == "local x: number = 1\nreturn x"


def test_the_digest_changes_with_a_library_and_with_nothing_else() -> None:
    before = link("app:f", SHOP).digest
    changed = {**SHOP, "app:round": entry("round", "library.lua", source="return {1}")}
    unrelated = {**SHOP, "app:other": entry("other", "library.lua", source="return {1}")}
    titled = {**SHOP, "app:f": Entry("app:f", "function.lua", {"title": "F"}, SHOP["app:f"].data)}
    assert link("app:f", changed).digest != before
    assert link("app:f", unrelated).digest == before
    assert link("app:f", titled).digest == before


def test_the_digest_survives_storage() -> None:
    program = link("app:f", SHOP)
    assert Program.from_json(program.to_json()).digest == program.digest


def test_what_does_not_run_has_no_program() -> None:
    for entry_id, entries in (
        ("app:none", SHOP),
        ("app:money", SHOP),
        ("app:f", by_id(function("f", imports={"x": "gone"}))),
        ("app:f", by_id(function("f", imports={"g": "g"}), entry("g", "process.lua", source="return {}"))),
        ("app:f", by_id(entry("f", "function.lua"))),
    ):
        with pytest.raises(ProgramError):
            link(entry_id, entries)


def test_a_cycle_does_not_hang_the_linker() -> None:
    entries = by_id(
        function("f", imports={"a": "a"}), library("a", imports={"b": "b"}), library("b", imports={"a": "a"})
    )
    assert len(link("app:f", entries).chunks) == 3


def test_an_imported_function_hands_its_module_on() -> None:
    tax = function("tax", modules=["json"])
    tax = Entry(tax.id, tax.kind, {}, {**tax.data, "source": "return {rate = json.decode('7'), main = error}"})
    body = "local tax = require('tax') return {main = function() return tax.rate end}"
    caller = Entry("app:f", "function.lua", {}, {"source": body, "imports": {"tax": "app:tax"}})
    assert Driver(link("app:f", by_id(caller, tax))).value == 7
