"""Storages of environment variables; what Lua can see of them is in the conformance cases."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine.asks.dotenv import DotenvFile
from engine.asks.env import EnvAsks
from engine.asks.storages import Storages
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.memory.catalog import MemoryCatalog
from engine.testing import Driver


def storages(folder: Path, *entries: Entry) -> Storages:
    return Storages(MemoryCatalog(entries), {}, folder / "data" / "env")


def file(path: str, **fields: Any) -> Entry:
    return Entry("app:file", "env.storage.file", {}, {"file_path": path, "auto_create": True, **fields})


def router(name: str, *targets: str) -> Entry:
    return Entry(f"app:{name}", "env.storage.router", {}, {"storages": list(targets)})


def test_a_file_keeps_its_other_lines_and_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.env"
    path.write_text("# settings\nA=1 # one\n\nB = two words\nA=3\n")
    path.chmod(0o640)
    env = DotenvFile(path)
    assert (env.get("A"), env.get("B"), env.get("C")) == ("3", "two words", None)
    env.put("A", "4")
    assert path.read_text() == "# settings\n\nB = two words\nA=4\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_writers_of_one_file_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.env"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: DotenvFile(path, create=True).put(f"V{n}", str(n)), range(40)))
    env = DotenvFile(path)
    assert [env.get(f"V{n}") for n in range(40)] == [str(n) for n in range(40)]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.env", "a.env.lock"]


def test_a_file_that_is_not_there_is_made_only_when_the_entry_says_so(tmp_path: Path) -> None:
    lazy = storages(tmp_path, file("deep/a.env", auto_create=False))
    assert lazy.get("app:file", "A") is None
    with pytest.raises(UnitFailed, match="auto_create"):
        lazy.put("app:file", "A", "1")
    storages(tmp_path, file("deep/a.env", file_mode=644)).put("app:file", "A", "1")
    made = tmp_path / "data" / "env" / "deep" / "a.env"
    assert (made.read_text(), stat.S_IMODE(made.stat().st_mode)) == ("A=1\n", 0o644)


@pytest.mark.parametrize("path", ["../secret_key", "..", ".", "deep/../../secret_key", "{data}/secret_key", "link"])
def test_no_path_leads_to_the_other_files_of_the_installation(tmp_path: Path, path: str) -> None:
    data = tmp_path / "data"
    (data / "env").mkdir(parents=True)
    (data / "secret_key").write_text("A=secret")
    (data / "env" / "link").symlink_to(data / "secret_key")
    with pytest.raises(UnitFailed, match="leads out of the folder"):
        storages(tmp_path, file(path.format(data=data))).get("app:file", "A")


def test_a_file_elsewhere_may_be_named_by_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "shared.env").write_text("A=1")
    assert storages(tmp_path, file(str(tmp_path / "shared.env"))).get("app:file", "A") == "1"


def test_what_is_no_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "environ").write_bytes(b"A=1\0SECRET_KEY=x\0")
    with pytest.raises(UnitFailed, match="no file of NAME=value lines"):
        DotenvFile(tmp_path / "environ").get("A")


def test_routers_lead_through_routers_and_not_in_circles(tmp_path: Path) -> None:
    memory = Entry("app:memory", "env.storage.memory")
    fixed = Entry("app:fixed", "env.storage.static", {}, {"values": {"A": "1", "B": "2"}})
    found = storages(tmp_path, memory, fixed, router("outer", "inner", "fixed"), router("inner", "memory"))
    assert found.get("app:outer", "A") == "1"
    found.put("app:outer", "A", "9")
    assert (found.get("app:outer", "A"), found.get("app:memory", "A")) == ("9", "9")
    with pytest.raises(UnitFailed, match="circle"):
        storages(tmp_path, router("a", "b"), router("b", "a")).get("app:a", "A")


def test_of_two_with_one_name_the_first_by_id_has_it(tmp_path: Path) -> None:
    catalog = MemoryCatalog(
        [
            Entry(f"app:{name}", "env.variable", {}, {"variable": "PORT", "default": name})
            for name in ("second", "first", "third")
        ]
    )
    asks = EnvAsks(catalog, Storages(catalog, {}, tmp_path)).handlers()
    source = """
        local env = require("env")
        return { main = function() return { env.get_all().PORT, (env.get("PORT")), (env.get("app:second")) } end }
    """
    assert Driver.of_source(source, asks=asks).value == ["first", "first", "second"]
