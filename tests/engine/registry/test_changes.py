from __future__ import annotations

from engine.entry import Entry
from engine.registry.changes import Changes, apply, check, diff, merge, same
from tests.engine.registry.checking import entry


def state(**values: object) -> dict[str, Entry]:
    return {f"app:{name}": entry(name, "registry.entry", value=value) for name, value in values.items()}


def test_only_what_differs_appears() -> None:
    changes = diff(state(a=1, b=2, c=3), state(b=2, c=4, d=5))
    assert [each.id for each in changes.create] == ["app:d"]
    assert [each.id for each in changes.update] == ["app:c"]
    assert changes.delete == ("app:a",)
    assert changes.touched == ("app:a", "app:c", "app:d")
    assert not diff(state(a=1), state(a=1))


def test_absent_entries_may_be_told_to_stay() -> None:
    assert diff(state(a=1, b=2), {}, delete=()).delete == ()
    assert diff(state(a=1, b=2), {}, delete=["app:b", "app:zzz"]).delete == ("app:b",)


def test_applying_a_difference_gives_the_new_state() -> None:
    old, new = state(a=1, b=2), state(b=3, c=4)
    assert apply(old, diff(old, new)) == new


def test_true_is_not_one_and_the_order_of_keys_does_not_count() -> None:
    assert not same(entry("a", "k", v=True), entry("a", "k", v=1))
    assert not same(entry("a", "k", v=1), entry("a", "k", v=1.0))
    assert same(entry("a", "k", x=1, y=(2,)), entry("a", "k", y=[2], x=1))
    assert same(entry("a", "k", v=1e22), entry("a", "k", v=10**22))


def test_changes_must_fit_the_state() -> None:
    one = state(a=1)["app:a"]
    assert [each.message for each in check(state(a=1), Changes(create=(one,)))] == ["exists already"]
    assert [each.message for each in check({}, Changes(update=(one,)))] == ["there is no such entry"]
    assert [each.message for each in check({}, Changes(delete=("app:a",)))] == ["there is no such entry"]
    twice = check(state(a=1), Changes(update=(one,), delete=("app:a",)))
    assert [each.message for each in twice] == ["is changed twice at once"]


def test_changes_to_different_entries_merge() -> None:
    base, current = state(a=1, b=1), state(a=1, b=2, c=3)
    merged = merge(base, current, diff(base, state(a=9, b=1)))
    assert merged.conflicts == ()
    assert apply(current, merged.changes) == state(a=9, b=2, c=3)


def test_the_same_entry_changed_differently_is_a_conflict() -> None:
    base = state(a=1)
    for mine in (state(a=2), {}):
        assert merge(base, state(a=3), diff(base, mine)).conflicts == ("app:a",)
    assert merge(base, {}, diff(base, state(a=2))).conflicts == ("app:a",)
    assert merge({}, state(a=1), diff({}, state(a=2))).conflicts == ("app:a",)


def test_what_both_sides_did_alike_drops_out() -> None:
    base = state(a=1, b=1)
    merged = merge(base, state(a=2), diff(base, state(a=2)))
    assert merged.conflicts == ()
    assert not merged.changes
