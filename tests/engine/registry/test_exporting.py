"""What the registry holds, as files: applying them gives the same entries, and comments stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.entry import Entry
from engine.registry.changes import same
from engine.registry.exporting import ExportError, export
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
