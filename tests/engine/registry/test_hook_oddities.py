"""Whatever stands in entries of versions from before anything checked them: it is told, and never raised."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.entry import Entry
from engine.registry.hooks.check import unset
from engine.registry.hooks.route import Route, of_entry
from engine.registry.hooks.unreadable import Unreadable
from engine.registry.problems import errors_in
from engine.registry.validate import validate
from tests.engine.registry.checking import function, no_check

WORDS = st.sampled_from(
    ["", "/", "none", "cors", "ratelimit", "api", "f", "GET", "*", "/a/{b}", "1/1m", "5m", "$.id", "$", "X-Id",
     "${env:A}", "app:api", "ip", "header:", "9" * 30 + "s", "\ud7ff", "ü"]
)  # fmt: skip
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), WORDS)
NAMES = st.sampled_from(
    ["hmac", "token", "basic", "header", "secret_env", "tolerance", "timestamp_header", "prefix", "username",
     "password_env", "algorithm", "encoding", "requests", "window", "cors.allow.origins", "cors_max_age",
     "ratelimit.key", "ratelimit.requests", "path", "auth", "starts", "signal", "key", "search", "schema", "wait",
     "method"]
)  # fmt: skip
ANYTHING = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)), max_leaves=8
)
ROUTER_FIELDS = ("prefix", "auth", "rate", "max_body", "middleware", "post_middleware", "options", "post_options")
ENDPOINT_FIELDS = ("method", "path", "func", "auth", "rate", "max_body", "timeout", "id_header")
WEBHOOK_FIELDS = ("path", "method", "auth", "starts", "signal", "key", "search", "workflow_id", "payload", "schema",
                  "id_header", "wait", "rate", "max_body")  # fmt: skip


def fields(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, ANYTHING))


@given(
    fields(ROUTER_FIELDS),
    fields(("server",)),
    fields(ENDPOINT_FIELDS),
    st.one_of(st.just({"router": "api"}), fields(("router",))),
    st.one_of(ANYTHING, st.lists(st.one_of(ANYTHING, fields(WEBHOOK_FIELDS)), max_size=3)),
    ANYTHING,
)
def test_anything_is_a_route_or_says_why_not_and_what_has_no_problem_is_a_route(
    router: Any, above: Any, endpoint: Any, meta: Any, webhooks: Any, search: Any
) -> None:
    entries = [
        Entry("app:api", "http.router", above, router),
        Entry("app:e", "http.endpoint", meta, endpoint),
        Entry("app:w", "workflow.lua", {"webhooks": webhooks, "search": search}, {"source": "return {}"}),
        function("f"),
    ]
    known = {each.id: each for each in entries}
    found = {each.id: list(of_entry(each, known)) for each in entries}
    assert all(isinstance(each, Route | Unreadable) for listed in found.values() for each in listed)
    wrong = errors_in(validate(known, no_check))
    for each in entries:
        list(unset(each, ()))
    for entry_id in ("app:e", "app:w"):
        open_texts = "${env:" in str(known[entry_id]) or "${env:" in str(router)
        if any(isinstance(each, Unreadable) for each in found[entry_id]) and not open_texts:
            assert wrong
