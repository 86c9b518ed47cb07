"""Which door a request comes to, by the registry version in force."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from engine.entry import Entry
from tests.console.registry_cast import create, delete, function, update
from wippy_console.services import temporal
from wippy_console.services.hooks import routes
from wippy_console.services.hooks.routes import Match, MethodNotAllowed, NotFound, Options, Table

FUNC = function("f")


def router(**data: Any) -> Entry:
    return Entry("app:api", "http.router", {}, {"prefix": "/api", "auth": "none", **data})


def endpoint(name: str, method: str, path: str, **data: Any) -> Entry:
    return Entry(
        f"app:{name}", "http.endpoint", {"router": "api"}, {"method": method, "path": path, "func": "f", **data}
    )


def hooked(*webhooks: dict[str, Any]) -> Entry:
    return Entry("app:w", "workflow.lua", {"webhooks": list(webhooks)}, {"source": "return {}"})


def table(*entries: Entry) -> Table:
    every = (router(middleware=["cors"]), FUNC, *entries)
    return Table.of({each.id: each for each in every})


def chosen(found: Any) -> tuple[str, dict[str, str]]:
    assert isinstance(found, Match), found
    return found.route.endpoint.removeprefix("app:"), dict(found.params)


def test_the_most_specific_path_that_takes_the_method_wins() -> None:
    known = table(
        endpoint("one", "GET", "/users/{id}"),
        endpoint("me", "GET", "/users/me"),
        endpoint("put", "PUT", "/users/{id}"),
        endpoint("every", "*", "/users/{id}"),
        endpoint("rest", "GET", "/{path...}"),
    )
    assert chosen(known.find("GET", "/api/users/me")) == ("me", {})
    assert chosen(known.find("GET", "/api/users/7")) == ("one", {"id": "7"})
    assert chosen(known.find("PUT", "/api/users/me")) == ("put", {"id": "me"})
    assert chosen(known.find("DELETE", "/api/users/7")) == ("every", {"id": "7"})
    assert chosen(known.find("OPTIONS", "/api/users/7")) == ("every", {"id": "7"})
    assert chosen(known.find("GET", "/api/users/7/posts")) == ("rest", {"path": "users/7/posts"})
    assert known.find("GET", "/other") == NotFound()
    assert known.find("POST", "/api/other") == MethodNotAllowed(("GET", "HEAD", "OPTIONS"))


def test_head_is_served_by_get_and_options_by_itself() -> None:
    known = table(endpoint("get", "GET", "/a"), endpoint("post", "POST", "/a"))
    assert chosen(known.find("HEAD", "/api/a")) == ("get", {})
    answered = known.find("OPTIONS", "/api/a")
    assert isinstance(answered, Options)
    assert answered.allow == ("GET", "POST", "HEAD", "OPTIONS")
    assert answered.cors is not None
    assert known.find("DELETE", "/api/a") == MethodNotAllowed(("GET", "POST", "HEAD", "OPTIONS"))
    own = table(endpoint("get", "GET", "/a"), endpoint("head", "HEAD", "/a"), endpoint("asks", "OPTIONS", "/a"))
    assert chosen(own.find("HEAD", "/api/a")) == ("head", {})
    assert chosen(own.find("OPTIONS", "/api/a")) == ("asks", {})
    assert table(endpoint("post", "POST", "/a")).find("HEAD", "/api/a") == MethodNotAllowed(("POST", "OPTIONS"))


def test_an_endpoint_that_cant_be_read_is_closed_and_so_is_the_second_of_two_alike() -> None:
    silent = Entry("app:silent", "http.endpoint", {"router": "app:mute"}, {"method": "GET", "path": "/s", "func": "f"})
    mute = Entry("app:mute", "http.router", {}, {"middleware": ["cors"]})
    known = table(mute, silent, endpoint("a", "GET", "/x/{a}"), endpoint("b", "GET", "/x/{b}"), hooked({"path": "/w"}))
    assert known.find("GET", "/s") == NotFound()
    assert known.find("POST", "/w") == NotFound()
    assert chosen(known.find("GET", "/api/x/1")) == ("a", {"a": "1"})
    assert {name: [each.field for each in why] for name, why in known.closed.items()} == {
        "app:silent": ["auth"], "app:b": [""], "app:w": ["meta.webhooks.0"]
    }  # fmt: skip


def _calls(known: Table, path: str) -> int:
    count = 0

    def counted(_: Any, event: str, __: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        known.find("GET", path)
    finally:
        sys.setprofile(None)
    return count


def test_to_find_one_of_ten_thousand_takes_as_many_steps_as_one_of_ten() -> None:
    few, many = (
        table(*(endpoint(f"e{n}", "GET", f"/things{n}/{{id}}") for n in range(total))) for total in (10, 10_000)
    )
    assert chosen(many.find("GET", "/api/things9999/1")) == ("e9999", {"id": "1"})
    for path in ("/api/things5/1", "/api/things5/1/2", "/none"):
        assert _calls(many, path) == _calls(few, path)


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ({"raw_path": b"/hooks/a%2Fb", "path": "/hooks/a/b"}, "/a%2Fb"),
        ({"raw_path": b"/hooks/a?x=/hooks/b", "path": "/hooks/a"}, "/a"),
        ({"path": "/hooks/größe"}, "/gr%C3%B6%C3%9Fe"),
        ({"raw_path": b"/hooks/", "path": "/hooks/"}, "/"),
        ({"raw_path": b"/hooksy/a", "path": "/hooksy/a"}, ""),
        ({"raw_path": b"/api/hooks/a", "path": "/api/hooks/a"}, ""),
        ({"raw_path": b"/hooks/\xff", "path": "/hooks/"}, "/\xff"),
    ],
)
def test_the_path_below_hooks_is_as_it_was_sent(scope: dict[str, Any], path: str) -> None:
    assert routes.below(scope) == path


@pytest.fixture
def in_force(transactional_db: None) -> Iterator[None]:
    """A registry that this process's threads read."""
    temporal.reset()
    yield
    temporal.reset()


def test_routes_change_with_the_registry_and_are_compiled_once_for_a_version(in_force: None) -> None:
    create(router(), FUNC, endpoint("e", "GET", "/a"))
    temporal.catalog().refresh()
    first = routes.find("GET", "/api/a")
    assert isinstance(first, Match)
    again = routes.find("GET", "/api/a")
    assert isinstance(again, Match)
    assert again.route is first.route
    assert routes.named("GET /hooks/api/a") is first.route
    assert routes.of("app:e") == (first.route,)
    update(router(prefix="/v2"))
    temporal.catalog().refresh()
    assert routes.find("GET", "/api/a") == NotFound()
    assert chosen(routes.find("GET", "/v2/a")) == ("e", {})
    assert routes.named("GET /hooks/api/a") is None
    delete("app:e")
    temporal.catalog().refresh()
    assert routes.find("GET", "/v2/a") == NotFound()
    assert routes.of("app:e") == ()


def test_placeholders_are_filled_in_and_close_a_door_when_they_cant_be(
    in_force: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_PREFIX", "/here")
    temporal.reset()
    create(router(prefix="${env:HOOK_PREFIX}"), FUNC, endpoint("e", "GET", "/a"))
    temporal.catalog().refresh()
    assert chosen(routes.find("GET", "/here/a")) == ("e", {})
    monkeypatch.delenv("HOOK_PREFIX")
    temporal.reset()
    assert routes.find("GET", "/here/a") == NotFound()
    assert [each.field for each in routes.closed("app:e")] == ["meta.router"]
