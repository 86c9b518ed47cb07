"""What the registry holds, as files: applying them gives the same entries, and comments stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.entry import Entry
from engine.registry import exporting
from engine.registry.changes import same
from engine.registry.exporting import ExportError
from engine.registry.tree import parse

INDEX = """\
# The shop.
version: "1.0"
namespace: shop

entries:
  # Money comes in.
  - name: charge  # by card
    kind: function.lua
    source: file://charge.lua
    modules: [funcs, json]   # both needed
    meta:
      title: "Charge"        # for people
      # what to look for
      search: [id]

  # Inline.
  - name: note
    kind: function.lua
    source: |
      -- a comment
      return {}
"""
FILES = {"shop/_index.yaml": INDEX, "shop/charge.lua": "-- charge\nreturn {}\n"}


def entries(files: Any = FILES) -> dict[str, Entry]:
    tree = parse(files)
    assert not tree.problems
    return dict(tree.entries)


def export(files: Any, held: Any) -> dict[str, str | None]:
    made = exporting.export(files, held)
    assert not made.refused
    return dict(made.files)


def merged(files: Any, changed: Any) -> dict[str, str]:
    return {path: text for path, text in {**files, **changed}.items() if text is not None}


def test_a_folder_that_holds_the_registry_stays_as_it_is() -> None:
    assert export(FILES, entries()) == {}


def test_comments_and_style_stay_around_what_changes() -> None:
    held = entries()
    charge = held["shop:charge"]
    meta = {"title": "Take money", "search": ["id"], "icon": "card"}
    held["shop:charge"] = Entry(charge.id, charge.kind, meta, {**charge.data, "method": "run"})
    changed = export(FILES, held)
    assert list(changed) == ["shop/_index.yaml"]
    text = changed["shop/_index.yaml"]
    assert text is not None
    for line in ("# The shop.", "  # Money comes in.", "charge  # by card", "modules: [funcs, json]   # both needed",
                 "# for people", "      # what to look for", "  # Inline.", "      -- a comment"):  # fmt: skip
        assert line in text
    assert entries(merged(FILES, changed)) == held


def test_a_source_is_written_where_it_stands() -> None:
    held = entries()
    for name in ("shop:charge", "shop:note"):
        held[name] = Entry(name, "function.lua", held[name].meta, {**held[name].data, "source": "-- new\nreturn {}\n"})
    changed = export(FILES, held)
    assert changed["shop/charge.lua"] == "-- new\nreturn {}\n"
    assert "      -- new" in (changed["shop/_index.yaml"] or "")
    assert entries(merged(FILES, changed)) == held


def test_entries_that_are_gone_go_with_their_sources_and_new_ones_come() -> None:
    held = entries()
    del held["shop:charge"]
    held["shop:more/b"] = Entry("shop:more/b", "library.lua", {}, {"source": "return 1"})
    held["app.sub:x"] = Entry("app.sub:x", "registry.entry", {"n": 1}, {"list": [{"a": "no"}], "day": "2026-01-31"})
    changed = export(FILES, held)
    assert changed["shop/charge.lua"] is None
    assert sorted(path for path, text in changed.items() if text) == [
        "app/sub/_index.yaml", "shop/_index.yaml", "shop/more_b.lua",
    ]  # fmt: skip
    assert entries(merged(FILES, changed)) == held


def test_an_entry_that_has_a_file_for_itself_is_changed_there() -> None:
    files = {"m.yaml": "# mine\nnamespace: a\nname: x\nkind: registry.entry\nvalue: 1 # one\n"}
    held = {"a:x": Entry("a:x", "registry.entry", {}, {"value": 2})}
    changed = export(files, held)
    assert changed == {"m.yaml": "# mine\nnamespace: a\nname: x\nkind: registry.entry\nvalue: 2 # one\n"}
    assert export(files, {}) == {"m.yaml": None}


def test_a_folder_with_problems_is_left_alone() -> None:
    with pytest.raises(ExportError):
        export({"_index.yaml": "namespace: a\nentries: [{name: x}]\n"}, {})


def test_names_can_not_lead_out_of_the_folder() -> None:
    names = ("../../x", "a/../../b", "..", "...", "a//b")
    held = {f"n:{name}": Entry(f"n:{name}", "function.lua", {}, {"source": f"return '{name}'"}) for name in names}
    changed = export({}, held)
    assert all(path.startswith("n/") and ".." not in path.split("/") for path in changed)
    assert entries(changed) == held


@pytest.mark.parametrize(
    ("held", "wanted"), [("1", True), ("true", 1), ("1", 1.0), ("{a: 1}", {"a": True}), ("[0]", [False])]
)
def test_a_value_that_python_takes_for_the_same_is_written(held: str, wanted: Any) -> None:
    files = {"_index.yaml": f"namespace: n\nentries:\n  - name: a\n    kind: registry.entry\n    x: {held}\n"}
    state = {"n:a": Entry("n:a", "registry.entry", {}, {"x": wanted})}
    assert same(entries(merged(files, export(files, state)))["n:a"], state["n:a"])


@pytest.mark.parametrize("changed", ["n:a", "n:b"])
def test_what_stands_in_two_entries_by_an_anchor_changes_in_one(changed: str) -> None:
    files = {
        "_index.yaml": "namespace: n\nentries:\n"
        "  - name: a\n    kind: registry.entry\n    x: &shared {deep: {k: 1}}\n"
        "  - name: b\n    kind: registry.entry\n    x: *shared\n"
    }
    state = {**entries(files), changed: Entry(changed, "registry.entry", {}, {"x": {"deep": {"k": 2}}})}
    assert entries(merged(files, export(files, state))) == state


MERGING = """\
namespace: n
entries:
  - name: base  # what others take
    kind: registry.entry
    x: &base {k: 1, deep: {a: 1}}
  - name: taker
    kind: registry.entry
    # not all of it
    x:
      <<: *base
      k: 3
"""


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("taker", {"k": 3}),
        ("taker", {"k": 3, "deep": {"a": 2}}),
        ("taker", {"k": 1, "deep": {"a": 1}, "more": []}),
        ("base", {"k": 1}),
        ("base", {"k": 1, "deep": {"a": 1.0}}),
    ],
)
def test_what_a_merge_brings_changes_in_one_entry(name: str, wanted: Any) -> None:
    files = {"_index.yaml": MERGING}
    state = {**entries(files), f"n:{name}": Entry(f"n:{name}", "registry.entry", {}, {"x": wanted})}
    changed = merged(files, export(files, state))
    again = entries(changed)
    assert again.keys() == state.keys()
    assert all(same(again[each], state[each]) for each in state)
    assert "# what others take" in changed["_index.yaml"]


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029", "\ufeff", "\r", "\x00"])
def test_marks_that_yaml_takes_for_ends_of_lines_come_back(mark: str) -> None:
    files = {"_index.yaml": "namespace: n\nentries:\n  - name: a\n    kind: registry.entry\n    x: 'old'\n"}
    text = f"{mark}a{mark} {mark}b{mark}"
    state = {"n:a": Entry("n:a", "registry.entry", {}, {"x": text, "source": text, text: [text]})}
    for before in (files, {}):
        changed = merged(before, export(before, state))
        assert entries({path: each.encode() for path, each in changed.items()}) == state


def test_a_source_file_that_two_entries_name_changes_for_one() -> None:
    both = [f"  - {{name: {name}, kind: library.lua, source: file://x.lua}}\n" for name in "ab"]
    files = {"_index.yaml": f"namespace: n\nentries:\n{''.join(both)}", "x.lua": "return 1\n"}
    state = {**entries(files), "n:a": Entry("n:a", "library.lua", {}, {"source": "return 2\n"})}
    assert entries(merged(files, export(files, state))) == state


def test_a_field_without_a_value_is_one_that_is_absent() -> None:
    held = {"n:a": Entry("n:a", "registry.entry", {"icon": None}, {"x": None, "y": [None]})}
    assert entries(export({}, held)) == {"n:a": Entry("n:a", "registry.entry", {}, {"y": [None]})}
    assert same(entries(export({}, held))["n:a"], held["n:a"])


def test_an_entry_that_no_file_can_hold_is_refused_and_the_folder_keeps_what_it_has() -> None:
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    old = entries()
    held = {
        **old,
        "shop:charge": Entry("shop:charge", "function.lua", {}, {**old["shop:charge"].data, "deep": deep}),
        "shop:deep": Entry("shop:deep", "registry.entry", {}, {"deep": deep}),
        "shop:twice": Entry("shop:twice", "registry.entry", {}, {"name": "other"}),
        "shop:fine": Entry("shop:fine", "registry.entry", {}, {"x": 1}),
    }
    made = exporting.export(FILES, held)
    assert [each.entry_id for each in made.refused] == ["shop:charge", "shop:deep", "shop:twice"]
    assert "nested deeper" in made.refused[0].message
    assert entries(merged(FILES, made.files)) == {**old, "shop:fine": held["shop:fine"]}


def test_a_namespace_that_is_too_large_for_a_file_gets_several() -> None:
    held = {f"n:{n}": Entry(f"n:{n}", "registry.entry", {}, {"x": "y" * 300_000}) for n in range(5)}
    changed = export({}, held)
    assert len(changed) > 1
    assert entries(changed) == held


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=20)
VALUE = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT.filter(bool), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from(["alpha", "beta", "gamma"]), VALUE, max_size=3)
ENTRY = st.builds(
    lambda name, meta, data, source: Entry(f"n:{name}", "registry.entry", meta, {**data, "source": source}),
    st.sampled_from(["a", "b", "c"]), FIELDS, FIELDS, TEXT,
)  # fmt: skip
STATE = st.lists(ENTRY, max_size=3).map(lambda found: {each.id: each for each in found})


@settings(max_examples=100, deadline=None)
@given(STATE, STATE)
def test_whatever_the_registry_holds_comes_back_from_its_files(first: dict[str, Entry], then: dict[str, Entry]) -> None:
    files = merged({}, export({}, first))
    again = merged(files, export(files, then))
    found = entries(again) if again else {}
    assert found.keys() == then.keys()
    assert all(same(found[each], then[each]) for each in then)


ANCHORED = """\
# All of it.
version: "1.0"
namespace: n

entries:
  # The first.
  - name: a   # letters
    kind: registry.entry
    alpha: &one {k: 1, deep: {a: true, b: [1, 2]}}   # shared
    beta: &list [1, 1.0, true]
    meta: &meta
      # why
      title: 'A'
      deep: {x: 1}
  - &entry
    name: b
    kind: registry.entry
    alpha: *one
    gamma:
      <<: *one
      k: 2   # ours
      more: *list
  # The last.
  - <<: *entry
    name: c
    meta:
      <<: [*meta, *one]
      title: "C"
    beta: |
      text
"""
ALONE = """\
namespace: m
name: alone
kind: registry.entry
version: 3
alpha: &x {k: 0x1F, f: 1.50}  # mine
beta: {<<: *x, day: 2026-01-31}
"""
SMALL: st.SearchStrategy[Any] = (
    st.sampled_from([1, True, 1.0, 0, False, "", "1", "a\x85b", "x\n", " y", [], {}, None]) | VALUE
)
KEYS = st.sampled_from(["alpha", "beta", "gamma", "k", "deep", "a", "title", "more", "new", "version"])


@st.composite
def mutated(draw: st.DrawFn, value: Any, depth: int = 0) -> Any:
    """The same value, but for some places in it."""
    if isinstance(value, dict) and (depth == 0 or draw(st.integers(0, 3))):
        found = {key: draw(mutated(each, depth + 1)) for key, each in value.items() if draw(st.integers(0, 4))}
        return {**found, draw(KEYS): draw(SMALL)} if draw(st.booleans()) else found
    return value if draw(st.integers(0, 3)) else draw(SMALL)


@st.composite
def changed_state(draw: st.DrawFn, held: dict[str, Entry]) -> dict[str, Entry]:
    """The same state, but for entries that changed, went and came."""
    kept = [each for each in held.values() if draw(st.integers(0, 5))]
    state = {each.id: each for each in kept}
    for each in kept:
        if draw(st.booleans()):
            data, meta = draw(mutated(dict(each.data))), draw(mutated(dict(each.meta)))
            state[each.id] = Entry(each.id, draw(st.sampled_from([each.kind, "x.other"])), meta, data)
    return state | (draw(STATE) if draw(st.booleans()) else {})


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_state_that_changed_comes_back_from_files_with_anchors_and_merges(data: st.DataObject) -> None:
    files: dict[str, str] = {"_index.yaml": ANCHORED, "m/alone.yaml": ALONE}
    for _ in range(2):
        state = data.draw(changed_state(entries(files) if files else {}))
        files = merged(files, export(files, state))
        found = entries({path: text.encode() for path, text in files.items()}) if files else {}
        assert found.keys() == state.keys()
        assert all(same(found[each], state[each]) for each in state)
