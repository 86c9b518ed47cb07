from __future__ import annotations

import pytest

from engine.check import check_source
from engine.entry import Entry
from engine.registry.sources import Source
from engine.registry.tree import located, parse
from engine.registry.validate import MAX_MISSING, validate


def test_good_lua_passes_and_is_never_run() -> None:
    assert check_source("local x <const> = 1\nwhile true do end", "app:f") == Source()
    assert check_source("error('run')", "app:f") == Source()


@pytest.mark.parametrize(
    ("source", "line"),
    [("local x = \n 1 1", 2), ("return {", 1), ("\n\nfor", 3), ("goto nowhere", 1), ("x = 'a\n'", 1)],
)
def test_broken_lua_is_told_with_its_line(source: str, line: int) -> None:
    problem = check_source(source, "app:f").problem
    assert problem is not None
    assert (problem.entry_id, problem.field, problem.line) == ("app:f", "source", line)
    assert problem.message.startswith("not valid Lua: ")
    assert "app:f" not in problem.message


def test_bytecode_is_refused() -> None:
    assert check_source("\x1bLua", "app:f").problem is not None


def test_the_line_is_right_under_a_long_entry_id() -> None:
    problem = check_source("\n\n1", "app." + "long." * 80 + ":name").problem
    assert problem is not None
    assert problem.line == 3


def test_absurd_sources_are_refused_not_fatal() -> None:
    nested = check_source("return " + "(" * 100_000, "app:f").problem
    assert nested is not None
    assert nested.message == "not valid Lua: C stack overflow"
    assert check_source("local x\n" * 300, "app:f").problem is not None
    assert check_source("return " + "{" * 100_000 + "}" * 100_000, "app:f").problem is not None


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


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("funcs.call('app:a') funcs.async(\"app:b\", 1)", ["app:a", "app:b"]),
        ("funcs.new():with_options({}):call('app.x:a-b', 1)", ["app.x:a-b"]),
        ("process.spawn('app:a', 'app:host') process.exec 'app:b'", ["app:a", "app:b"]),
        ("process.with_context({}):spawn_linked_monitored('app:a', h)", ["app:a"]),
        ("require('workflow').exec('app:a')", ["app:a"]),
        ("funcs.call('app:' .. name) funcs.call(('app:a'):upper()) funcs.call(id)", []),
        ("print('app:a') call('app:a') process.send('app:a', 't') funcs.call('plain')", []),
        ("http.call('http://x') -- funcs.call('app:a')", []),
    ],
)
def test_literal_ids_that_are_called_or_started_are_found(code: str, named: list[str]) -> None:
    assert [each.target for each in check_source(f"return function(name, id, h) {code} end", "app:f").named] == named


def test_a_literal_id_that_nothing_has_is_a_warning_at_its_line() -> None:
    text = (
        "return function()\n  funcs.call('app:chrage')\n  funcs.call('app:chrage')\n  return funcs.call('app:g')\nend\n"
    )
    entries = {each: Entry(each, "function.lua", {}, {"source": "return {}"}) for each in ("app:charge", "app:g")}
    caller = Entry("app:f", "function.lua", {}, {"source": text, "modules": ["funcs"]})
    (problem,) = validate({**entries, "app:f": caller}, check_source)
    assert (problem.severity, problem.field, problem.line) == ("warning", "source", 2)
    assert str(problem).endswith(
        "there is no entry `app:chrage`: what calls or starts it will fail (did you mean `app:charge`?)"
    )


def test_a_source_full_of_missing_ids_is_told_of_some() -> None:
    text = "return function() " + " ".join(f"funcs.call('app:x{n}')" for n in range(1000)) + " end"
    caller = Entry("app:f", "function.lua", {}, {"source": text, "modules": ["funcs"]})
    assert len(validate({"app:f": caller}, check_source)) == MAX_MISSING
