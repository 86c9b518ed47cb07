"""A run keeps the version of the kernel that it began with."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.lua import state
from engine.lua.state import State, kernel_file
from engine.steps import KERNEL


@pytest.mark.parametrize("version", range(1, KERNEL + 1))
def test_the_kernel_knows_which_version_it_is(version: int) -> None:
    made = State("workflow", (), (), 0, version)
    assert made._k["version"] == version


def test_a_version_has_its_own_files_those_of_later_ones_that_kept_them_and_else_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "KERNEL", tmp_path)
    monkeypatch.setattr(state, "NEWEST", 3)
    for name in ("v1/a.lua", "v2/a.lua", "a.lua", "v2/b.lua", "b.lua", "c.lua"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = {(name, v): str(kernel_file(name, v).relative_to(tmp_path)) for name in "abc" for v in (1, 2, 3)}
    assert found == {
        ("a", 1): "v1/a.lua",
        ("a", 2): "v2/a.lua",
        ("a", 3): "a.lua",
        ("b", 1): "v2/b.lua",
        ("b", 2): "v2/b.lua",
        ("b", 3): "b.lua",
        ("c", 1): "c.lua",
        ("c", 2): "c.lua",
        ("c", 3): "c.lua",
    }
