from __future__ import annotations

import pytest

from engine.check import check_source
from engine.registry.tree import located, parse
from engine.registry.validate import validate


def test_good_lua_passes_and_is_never_run() -> None:
    assert check_source("local x <const> = 1\nwhile true do end", "app:f") is None
    assert check_source("error('run')", "app:f") is None


@pytest.mark.parametrize(
    ("source", "line"),
    [("local x = \n 1 1", 2), ("return {", 1), ("\n\nfor", 3), ("goto nowhere", 1), ("x = 'a\n'", 1)],
)
def test_broken_lua_is_told_with_its_line(source: str, line: int) -> None:
    problem = check_source(source, "app:f")
    assert problem is not None
    assert (problem.entry_id, problem.field, problem.line) == ("app:f", "source", line)
    assert problem.message.startswith("not valid Lua: ")
    assert "app:f" not in problem.message


def test_bytecode_is_refused() -> None:
    assert check_source("\x1bLua", "app:f") is not None


def test_the_line_is_right_under_a_long_entry_id() -> None:
    problem = check_source("\n\n1", "app." + "long." * 80 + ":name")
    assert problem is not None
    assert problem.line == 3


def test_absurd_sources_are_refused_not_fatal() -> None:
    nested = check_source("return " + "(" * 100_000, "app:f")
    assert nested is not None
    assert nested.message == "not valid Lua: C stack overflow"
    assert check_source("local x\n" * 300, "app:f") is not None
    assert check_source("return " + "{" * 100_000 + "}" * 100_000, "app:f") is not None


def test_lua_errors_stand_in_their_files() -> None:
    tree = parse(
        {
            "lib/_index.yaml": "namespace: app\nentries:\n  - name: f\n    kind: function.lua\n    source: file://f.lua\n"
            "  - name: g\n    kind: function.lua\n    source: |\n      return {}\n      end\n",
            "lib/f.lua": "local function main()\n  retrun 1\nend\n",
        }
    )
    assert [str(each) for each in located(tree, validate(tree.entries, check_source))] == [
        "lib/_index.yaml:10: app:g source: not valid Lua: <eof> expected near 'end'",
        "lib/f.lua:2: app:f source: not valid Lua: syntax error near '1'",
    ]
