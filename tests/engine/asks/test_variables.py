"""`${env:NAME}` in the fields of entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.asks.env import EnvAsks
from engine.asks.storages import Storages
from engine.asks.variables import DecodedCatalog, Variables
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.memory.catalog import MemoryCatalog

ENVIRONMENT = {"REGION": "eu", "MOST": "7", "BOTH": "of the environment"}


def catalog(folder: Path, *entries: Entry) -> DecodedCatalog:
    written = MemoryCatalog(entries)
    declared = EnvAsks(written, Storages(written, ENVIRONMENT, folder))
    return DecodedCatalog(written, Variables(declared, ENVIRONMENT))


def variable(name: str, **data: Any) -> Entry:
    return Entry(f"app:{name}", "env.variable", {}, data)


def test_every_field_that_is_no_code_is_filled_in(tmp_path: Path) -> None:
    meta = {"options": {"retry": {"max_attempts": "${env:MOST|3}"}}, "note": "in ${env:REGION}"}
    host = Entry("app:h", "process.host", meta, {"host": {"max_processes": "${env:NONE|5}", "x": ["${env:REGION}"]}})
    found = catalog(tmp_path, host).entry("app:h")
    assert found is not None
    assert found.data == {"host": {"max_processes": 5, "x": ["eu"]}}
    assert found.meta == {"options": {"retry": {"max_attempts": 7}}, "note": "in eu"}


def test_a_declared_variable_comes_before_the_environment_by_name_or_id(tmp_path: Path) -> None:
    service = Entry("app:s", "process.service", {}, {"input": ["${env:BOTH}", "${env:app:both}", "${env:app:unnamed}"]})
    declared = variable("both", variable="BOTH", default="declared"), variable("unnamed", default="u")
    found = catalog(tmp_path, service, *declared).entry("app:s")
    assert found is not None
    assert found.data["input"] == ["declared", "declared", "u"]


def test_code_and_what_the_console_shows_stay_as_written(tmp_path: Path) -> None:
    text = "${env:REGION}"
    written = Entry(
        "app:f", "function.lua", {"title": text, "temporal": {"activity": {"worker": text}}}, {"source": text}
    )
    assert catalog(tmp_path, written).entry("app:f") == written


def test_what_nothing_starts_stays_as_written(tmp_path: Path) -> None:
    written = Entry("app:r", "registry.entry", {}, {"any": "${env:REGION}"})
    assert catalog(tmp_path, written).entry("app:r") == written


def test_a_variable_that_is_missing_fails_what_uses_the_entry_and_no_other(tmp_path: Path) -> None:
    bad = Entry("app:bad", "process.host", {}, {"host": {"max_processes": "${env:NONE}"}})
    good = Entry("app:good", "process.host", {}, {"note": "${env:REGION}"})
    found = catalog(tmp_path, bad, good)
    with pytest.raises(UnitFailed, match=r"app:bad: host.max_processes: the variable NONE is not set"):
        found.entry("app:bad")
    assert [entry.data for entry in found.entries("process.host")] == [bad.data, {"note": "eu"}]


def test_a_list_says_once_what_stays_as_it_is_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bad = Entry("app:bad", "process.host", {}, {"host": {"max_processes": "${env:NONE}"}})
    found = catalog(tmp_path, bad)
    for _ in range(3):
        assert found.entries("process.host") == [bad]
    [told] = [record.message for record in caplog.records]
    assert "app:bad: host.max_processes: the variable NONE is not set" in told


def test_an_entry_is_filled_in_again_when_a_variable_changes_and_only_then() -> None:
    environ = {"REGION": "eu"}
    written = MemoryCatalog([Entry("app:s", "process.service", {}, {"input": ["${env:REGION}", "${env:NONE|none}"]})])
    found = DecodedCatalog(written, environ)
    first = found.entry("app:s")
    assert first is found.entry("app:s")
    environ["NONE"] = "some"
    second = found.entry("app:s")
    assert second is not None
    assert second.data == {"input": ["eu", "some"]}
