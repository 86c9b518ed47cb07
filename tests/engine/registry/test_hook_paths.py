"""Path patterns: what they take, what they refuse, which one wins, and what a look-up costs."""

from __future__ import annotations

import sys
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.registry.hooks.paths import MOST_PARTS, Paths, Pattern, split
from engine.registry.hooks.unreadable import Unreadable


@pytest.mark.parametrize(
    ("pattern", "path", "params"),
    [
        ("/", "/", {}),
        ("/users", "/users", {}),
        ("/users/", "/users", {}),
        ("/users", "/users/", {}),
        ("/users/{id}", "/users/42", {"id": "42"}),
        ("/users/{id}", "/users/a%2Fb", {"id": "a/b"}),
        ("/users/{id}", "/users/a%20b+c", {"id": "a b+c"}),
        ("/users/{id}", "/users/%E2%82%AC", {"id": "€"}),
        ("/users/{id}", "/users/%252F", {"id": "%2F"}),
        ("/größe/{id}", "/gr%C3%B6%C3%9Fe/1", {"id": "1"}),
        ("/users/{id}", "/users/...", {"id": "..."}),
        ("/files/{rest...}", "/files/a/b.md", {"rest": "a/b.md"}),
        ("/files/{rest...}", "/files", {"rest": ""}),
        ("/files/{rest...}", "/files/", {"rest": ""}),
        ("/{rest...}", "/", {"rest": ""}),
        ("/a/{x}/b/{y}", "/a/1/b/2", {"x": "1", "y": "2"}),
    ],
)
def test_a_path_matches_and_gives_its_parameters(pattern: str, path: str, params: dict[str, str]) -> None:
    assert Pattern.parse(pattern).match(path) == params


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/users/{id}", "/users"),
        ("/users/{id}", "/users/"),
        ("/users/{id}", "/users//"),
        ("/users/{id}", "/users/1/2"),
        ("/users/{id}", "/Users/1"),
        ("/users/{id}", "//users/1"),
        ("/users/{id}", "/users/1//"),
        ("/users/{id}", "/users/.."),
        ("/users/{id}", "/users/%2e%2E"),
        ("/users/{id}", "/users/."),
        ("/users/{id}", "/users/a%00b"),
        ("/users/{id}", "/users/%FF"),
        ("/users/{id}", "/users/%zz"),
        ("/users/{id}", "/users/%2"),
        ("/users/{id}", "users/1"),
        ("/users/{id}", ""),
        ("/users/{id}", "/users/" + "x" * 2000),
        ("/files/{rest...}", "/files/a//b"),
        ("/files/{rest...}", "/files/../secret"),
        ("/files/{rest...}", "/files/%2e%2e/secret"),
    ],
)
def test_a_path_that_others_read_differently_matches_nothing(pattern: str, path: str) -> None:
    assert Pattern.parse(pattern).match(path) is None


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("", "begin with a slash"),
        ("users", "begin with a slash"),
        ("//users", "empty part"),
        ("/users//x", "empty part"),
        ("/users//", "empty part"),
        ("/users/../x", "`..`"),
        ("/users/./x", "`.`"),
        ("/users/{id", "`{id`"),
        ("/users/x{id}", "`x{id}`"),
        ("/users/{}", "`{}`"),
        ("/users/{1}", "`{1}`"),
        ("/users/{a-b}", "`{a-b}`"),
        ("/users/{id}/{id}", "`id` twice"),
        ("/files/{rest...}/x", "last part"),
        ("/a b", "`a b`"),
        ("/a%20b", "without %"),
        ("/a?x=1", "`a?x=1`"),
        ("/a#b", "`a#b`"),
        ("/a\\b", "can't be a part"),
        ("/" + "x" * 500, "letters"),
        ("/x" * (MOST_PARTS + 1), "parts"),
    ],
)
def test_a_pattern_that_none_can_match_is_refused_with_the_reason(pattern: str, why: str) -> None:
    with pytest.raises(Unreadable) as refused:
        Pattern.parse(pattern)
    assert why in f"{refused.value.message} {refused.value.hint}"


def test_patterns_of_one_shape_differ_in_names_only() -> None:
    assert Pattern.parse("/a/{x}").shape == Pattern.parse("/a/{y}/").shape
    assert Pattern.parse("/a/{x}").shape != Pattern.parse("/a/{x...}").shape


def table(*patterns: str) -> Paths[str]:
    found: Paths[str] = Paths()
    for each in patterns:
        found.add(Pattern.parse(each), each)
    return found


def test_the_most_specific_pattern_comes_first_part_by_part() -> None:
    known = table("/{rest...}", "/a/{x}", "/a/b", "/a/{x}/c", "/a/b/d", "/a/{rest...}")
    assert [each.value for each in known.matches("/a/b")] == ["/a/b", "/a/{x}", "/a/{rest...}", "/{rest...}"]
    assert [each.value for each in known.matches("/a/b/c")] == ["/a/{x}/c", "/a/{rest...}", "/{rest...}"]
    assert [each.value for each in known.matches("/z")] == ["/{rest...}"]


@given(st.lists(st.text(min_size=1, max_size=8), max_size=6))
def test_whatever_is_sent_as_parts_comes_out_as_it_was(parts: list[str]) -> None:
    storable = all(part not in (".", "..") and "\0" not in part for part in parts)
    sent = "/" + "/".join(quote(part, safe="", errors="surrogatepass") for part in parts)
    is_text = all(not 0xD800 <= ord(letter) <= 0xDFFF for part in parts for letter in part)
    assert split(sent) == (parts if storable and is_text else None)


def _calls(known: Paths[str], path: str) -> int:
    """How many calls of Python functions the first match takes."""
    count = 0

    def counted(_: Any, event: str, __: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        next(known.matches(path), None)
    finally:
        sys.setprofile(None)
    return count


def test_a_look_up_among_ten_thousand_takes_as_many_steps_as_among_ten() -> None:
    few = table(*(f"/v1/things{place}/{{id}}/edit" for place in range(10)))
    many = table(*(f"/v1/things{place}/{{id}}/edit" for place in range(10_000)))
    for path in ("/v1/things7/42/edit", "/v1/things7/42/none", "/v1/nothing/42/edit", "/"):
        assert _calls(many, path) == _calls(few, path)


def test_a_word_that_leads_nowhere_is_left_for_a_parameter() -> None:
    choices = list(product(("a", "{}"), repeat=4))[1:]
    known = table(*("/" + "/".join(f"{{p{n}}}" if x == "{}" else x for n, x in enumerate(each)) for each in choices))
    assert next(each.value for each in known.matches("/a/a/a/a")) == "/a/a/a/{p3}"
    assert len(list(known.matches("/a/a/a/a"))) == len(choices)
    assert [each.params for each in known.matches("/b/a/c/a")] == [
        {"p0": "b", "p2": "c"}, {"p0": "b", "p2": "c", "p3": "a"}, {"p0": "b", "p1": "a", "p2": "c"},
        {"p0": "b", "p1": "a", "p2": "c", "p3": "a"},
    ]  # fmt: skip
