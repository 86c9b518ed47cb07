from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.registry.problems import Problem
from engine.registry.tree import MAX_SOURCE, MAX_YAML, UnreadableError, parse
from tests.engine.registry.checking import found, index
from wippy_console.management.disk import Folder

SHOP = Path(__file__).parents[2] / "data" / "shop"


# A busy machine is no reason to fail.
anyhow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_a_tree_becomes_entries_with_their_sources_read() -> None:
    tree = parse(Folder(SHOP))
    assert tree.problems == ()
    assert list(tree.entries) == ["shop:place_order", "shop:charge", "shop:temporal", "shop:worker", "shop.lib:money"]
    assert tree.entries["shop:place_order"].data["source"] == (SHOP / "place_order.lua").read_text()
    assert tree.entries["shop:charge"].data["source"].startswith('local money = require("money")\nreturn')
    assert tree.entries["shop:worker"].data["lifecycle"] == {"auto_start": True}
    assert tree.entries["shop:place_order"].meta["signals"][0]["payload"] == {"approved": True}


def test_a_file_with_one_entry_needs_no_list() -> None:
    tree = parse({"one.yml": "namespace: app.x\nname: a.b/c-d\nkind: registry.entry\nversion: '1'\ncolour: red\n"})
    assert tree.problems == ()
    assert tree.entries["app.x:a.b/c-d"].data == {"colour": "red"}


def test_yaml_without_a_namespace_is_left_alone() -> None:
    tree = parse(
        {"compose.yaml": "services: {}", "broken.yaml": "a: [", **index("  - {name: a, kind: registry.entry}")}
    )
    assert tree.problems == ()
    assert list(tree.entries) == ["app:a"]


def test_broken_yaml_is_told_with_its_line() -> None:
    (problem,) = parse({"x/_index.yaml": "namespace: app\nentries:\n  - name: [\n"}).problems
    assert (problem.file, problem.line) == ("x/_index.yaml", 4)
    assert "not valid YAML" in problem.message


def test_every_problem_is_told_not_only_the_first() -> None:
    files = index(
        "  - name: a\n"
        "  - kind: function.lua\n"
        "  - just text\n"
        "  - {name: b, kind: function.lua, source: file://missing.lua}\n"
        "  - {name: c, kind: function lua, source: x}\n"
        "  - {name: b, kind: registry.entry}\n"
        "  - {name: d, kind: registry.entry, meta: 5}\n"
    )
    assert found(files) == [
        "_index.yaml:3: `kind` of `a` is missing",
        "_index.yaml:4: `name` is missing",
        "_index.yaml:5: an entry must be a mapping with `name` and `kind`",
        "_index.yaml:6: app:b source: can't read file://missing.lua: no such file",
        "_index.yaml:7: app:c kind: `function lua` is no kind (did you mean `function.lua`?)",
        "_index.yaml:8: app:b: defined before, in _index.yaml:6",
        "_index.yaml:9: app:d: `meta` must be a mapping",
    ]


def test_problems_of_a_field_name_its_own_line() -> None:
    files = index(
        "  - name: svc\n"
        "    kind: process.service\n"
        "    process: nobody\n"
        "    host: nowhere\n"
        "    lifecycle:\n"
        "      restart:\n"
        "        max_attempts: many\n"
    )
    assert found(files) == [
        "_index.yaml:5: app:svc process: there is no entry `app:nobody`",
        "_index.yaml:6: app:svc host: there is no entry `app:nowhere`",
        '_index.yaml:9: app:svc lifecycle.restart.max_attempts: must be a whole number, not "many"',
    ]


def test_a_syntax_error_stands_in_the_lua_file_or_in_the_block_of_the_yaml() -> None:
    tree = parse(
        {
            "a/_index.yaml": "namespace: app\nentries:\n  - name: x\n    kind: function.lua\n    source: file://x.lua\n"
            "  - name: y\n    kind: function.lua\n    source: |\n      one\n      two\n",
            "a/x.lua": "return",
        }
    )
    in_file = tree.locate(Problem("bad", entry_id="app:x", field="source", line=3))
    in_block = tree.locate(Problem("bad", entry_id="app:y", field="source", line=2))
    assert (in_file.file, in_file.line) == ("a/x.lua", 3)
    assert (in_block.file, in_block.line) == ("a/_index.yaml", 10)


def test_a_source_can_not_leave_the_tree() -> None:
    for path in ("../secret.lua", "/etc/passwd", "a/../../secret.lua", "..", ""):
        (problem,) = parse({"_index.yaml": _function(f"file://{path}"), "../secret.lua": "no"}).problems
        assert "leaves the tree" in problem.message


def test_a_source_may_lie_in_another_folder_of_the_tree() -> None:
    tree = parse({"a/b/_index.yaml": _function("file://../x.lua"), "a/x.lua": "return 1"})
    assert tree.entries["app:f"].data["source"] == "return 1"


def test_files_that_are_too_large_or_no_text_are_told() -> None:
    assert "larger than" in str(parse({"_index.yaml": "#" * (MAX_YAML + 1)}).problems[0])
    large = parse({"_index.yaml": _function("file://x.lua"), "x.lua": b"-" * (MAX_SOURCE + 1)})
    assert "larger than" in str(large.problems[0])
    binary = parse({"_index.yaml": _function("file://x.lua"), "x.lua": b"return\n\xff\xfe"})
    assert "not UTF-8 text: byte 0xff in line 2" in str(binary.problems[0])


def test_a_lazy_mapping_may_refuse_a_file() -> None:
    class Guarded(dict[str, str | bytes]):
        def __getitem__(self, path: str) -> str | bytes:
            if path == "x.lua":
                raise UnreadableError("permission denied")
            return super().__getitem__(path)

    (problem,) = parse(Guarded({"_index.yaml": _function("file://x.lua"), "x.lua": ""})).problems
    assert str(problem).endswith("can't read file://x.lua: permission denied")


def test_an_alias_bomb_ends_soon_with_one_problem() -> None:
    bomb = "namespace: app\na: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for name, before in zip("bcdefghij", "abcdefghi", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    tree = parse({"_index.yaml": bomb + "entries: []\n"})
    assert [each.message for each in tree.problems if "too large" in each.message]


def test_a_merge_bomb_and_a_cycle_of_aliases_end_too() -> None:
    for text in ("&a {<<: [*a, *a, *a]}", "&a [*a]", "&a {x: *a, y: *a}", "[" * 10_000, "- " * 10_000):
        assert parse({"_index.yaml": f"namespace: app\nentries: {text}\n"}).problems


def test_merge_keys_and_anchors_work() -> None:
    files = index(
        "  - {name: a, kind: registry.entry, base: &base {x: 1, y: 2}}\n"
        "  - {name: b, kind: registry.entry, own: {<<: *base, y: 3}}\n"
    )
    tree = parse(files)
    assert tree.problems == ()
    assert tree.entries["app:b"].data["own"] == {"x": 1, "y": 3}


def test_values_are_those_that_json_knows() -> None:
    files = index(
        "  - name: a\n    kind: registry.entry\n    day: 2024-01-31\n    no: no\n    on: true\n    half: 0.5\n"
        "    hex: 0x10\n    nothing: ~\n    1: one\n    list: [~]\n"
    )
    tree = parse(files)
    assert tree.problems == ()
    assert tree.entries["app:a"].data == {
        "day": "2024-01-31", "no": "no", "on": True, "half": 0.5, "hex": 16, "1": "one", "list": [None],
    }  # fmt: skip


def test_a_key_without_a_value_is_no_key() -> None:
    files = index("  - name: a\n    kind: function.lua\n    source: return 1\n    modules:\n    meta:\n      title:\n")
    assert found(files) == []
    assert parse(files).entries["app:a"].meta == {}


def test_what_yaml_could_build_but_json_not_is_refused() -> None:
    files = index(
        "  - {name: a, kind: registry.entry, x: !!python/object/apply:os.system [id]}\n"
        "  - {name: b, kind: registry.entry, x: !secret y}\n"
        "  - {name: c, kind: registry.entry, x: !!int abc}\n"
        "  - {name: d, kind: registry.entry, ? [1] : x}\n"
        "  - {name: e, kind: registry.entry, x: 1, x: 2}\n"
        "  - {name: f, kind: registry.entry, x: 99999999999999999999}\n"
        "  - {name: g, kind: registry.entry, x: .nan}\n"
        '  - {name: h, kind: registry.entry, x: "a\\0b"}\n'
    )
    lines = found(files)
    assert [line.split(":")[1] for line in lines] == [str(number) for number in range(3, 11)], lines


def test_an_empty_tree_says_so() -> None:
    assert "no `_index.yaml`" in str(parse({"x.lua": ""}).problems[0])
    assert "must hold a mapping" in str(parse({"_index.yaml": ""}).problems[0])
    assert "`namespace` is missing" in str(parse({"_index.yaml": "entries: []"}).problems[0])


@anyhow
@given(st.dictionaries(st.sampled_from(["_index.yaml", "a/b.yml", "x.lua"]), st.text() | st.binary(), max_size=3))
def test_no_content_makes_it_raise(files: dict[str, str | bytes]) -> None:
    found(files)


YAML_BITS = st.sampled_from(
    ["namespace: app\n", "entries:\n", "  - name: a\n", "    kind: function.lua\n", "    source: file://x.lua\n", "&a ",
     "*a", "<<: ", "{", "}", "[", "]", "? ", ": ", "- ", "|\n", "!!int ", "!t ", "'", '"', "%YAML 1.1\n", "---\n", "\t",
     "0x", "1e999", "~", "meta:\n", "      signals: [{topic: t}]\n", "    imports: {a: b}\n", "    modules: [1, x]\n"]
)  # fmt: skip


@anyhow
@given(st.lists(YAML_BITS, max_size=30).map("".join))
def test_no_yaml_makes_it_raise(text: str) -> None:
    found({"_index.yaml": "namespace: app\nentries:\n" + text, "b.yaml": text, "x.lua": "return 1"})


def _function(source: str) -> str:
    return f"namespace: app\nentries:\n  - {{name: f, kind: function.lua, source: '{source}'}}\n"
