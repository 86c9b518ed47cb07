"""Entries that serve requests: each fault has a problem with its field, and what is right has none."""

from __future__ import annotations

from typing import Any

import pytest

from engine.entry import Entry
from engine.errors import UnitFailed
from engine.registry.hooks import auth, limits, middleware
from engine.registry.hooks.auth import Basic, Hmac, Open, Token
from engine.registry.hooks.check import unset
from engine.registry.hooks.limits import Rate
from engine.registry.hooks.middleware import Cors
from engine.registry.hooks.route import Route, Shortcut, of_entry
from engine.registry.hooks.security import of_endpoint
from engine.registry.hooks.unreadable import Unreadable
from engine.registry.problems import Problem, errors_in
from engine.registry.validate import validate
from tests.engine.registry.checking import entry, function, no_check, problems, told, workflow

FUNC = function("f")
HMAC = {"hmac": {"header": "X-Signature", "secret_env": "SECRET"}}


def router(meta: dict[str, Any] | None = None, **data: Any) -> Entry:
    return entry("api", "http.router", meta, **data)


def endpoint(name: str = "e", meta: dict[str, Any] | None = None, **data: Any) -> Entry:
    given = {"method": "GET", "path": "/users/{id}", "func": "f", "auth": "none", **data}
    return entry(name, "http.endpoint", {"router": "api"} if meta is None else meta, **given)


def hooked(*webhooks: Any, search: Any = ("$.order_id",)) -> Entry:
    return workflow("w", {"webhooks": list(webhooks), "search": list(search)})


def start(**fields: Any) -> dict[str, Any]:
    return {"path": "/orders", "auth": "none", "starts": True, **fields}


def signal(**fields: Any) -> dict[str, Any]:
    return {"path": "/paid", "auth": "none", "signal": "paid", "key": "$.order_id", **fields}


def said(found: list[Problem]) -> list[tuple[str, str]]:
    return [(each.field, each.severity) for each in found]


def routes(item: Entry, *others: Entry) -> list[Route]:
    found = list(of_entry(item, {each.id: each for each in (item, *others)}))
    assert all(isinstance(each, Route) for each in found), found
    return [each for each in found if isinstance(each, Route)]


def test_entries_as_the_reference_writes_them_have_no_problem() -> None:
    service = entry("gateway", "http.service", addr=":8080", lifecycle={"auto_start": True},
                    timeouts={"read": "5s", "write": "30s", "idle": "60s"}, host={"buffer_size": 1, "worker_count": 4},
                    tls={"mode": "manual", "cert": "file://./a.pem", "key": "file://./a.key"})  # fmt: skip
    api = router({"server": "gateway"}, prefix="/api/v1", middleware=["cors", "ratelimit"], auth="none",
                 options={"cors.allow.origins": "https://app.example.com", "cors.allow.credentials": "true",
                          "ratelimit.requests": "100", "ratelimit.window": "1m", "ratelimit.key": "ip"})  # fmt: skip
    plain = entry("e", "http.endpoint", {"router": "app:api"}, method="GET", path="/users/{id}", func="app:f")
    found = problems(service, api, plain, FUNC)
    assert said(found) == [("addr", "warning")]
    assert "/hooks/" in found[0].message


def test_what_is_ours_is_read_with_its_defaults() -> None:
    api = router(prefix="/api/", auth=HMAC, rate="60/1m", max_body="64KB")
    (plain,) = routes(entry("e", "http.endpoint", {"router": "api"}, method="GET", path="/", func="other:f"), api)
    assert plain.name == "GET /hooks/api"
    assert (plain.target, plain.act, plain.router, plain.timeout) == ("other:f", "call", "app:api", 30)
    assert (plain.auth, plain.max_body, plain.id_header) == (Hmac("x-signature", "SECRET"), 64 * 1024, "")
    assert plain.rates == (Rate(60, 60, "GET /hooks/api"),)
    own = endpoint(rate={"requests": 5, "window": "10s"}, max_body=10, timeout="2m", id_header="X-Id")
    (full,) = routes(own, api)
    assert (full.auth, full.max_body, full.timeout, full.id_header) == (Open(), 10, 120, "x-id")
    assert full.rates == (Rate(5, 10, "GET /hooks/api/users/{id}"),)
    assert full.address == "/hooks/api/users/{id}"
    (bare,) = routes(endpoint(), router())
    assert (bare.address, bare.max_body, bare.rates, bare.cors) == ("/hooks/users/{id}", 1 << 20, (), None)


def test_no_body_at_all_may_be_what_an_endpoint_takes() -> None:
    (own,), (shared,) = routes(endpoint(max_body=0), router()), routes(endpoint(), router(max_body="0"))
    (flow,) = routes(hooked(start(max_body=0)))
    assert (own.max_body, shared.max_body, flow.max_body) == (0, 0, 0)


def test_a_shortcut_is_read_with_its_defaults() -> None:
    first, second = routes(
        hooked(
            start(workflow_id="$.id", schema={"type": "object"}),
            signal(method="PUT", search="customer.id", payload="$.data", wait="7d"),
            search=["$.order_id", "customer.id"],
        )
    )
    assert (first.act, first.target, first.method, first.where) == ("start", "app:w", "POST", "meta.webhooks.0")
    assert first.shortcut == Shortcut(workflow_id="$.id", schema={"type": "object"})
    assert (second.act, second.name, second.where) == ("signal", "PUT /hooks/paid", "meta.webhooks.1")
    assert second.shortcut == Shortcut("paid", "$.order_id", "customer.id", payload="$.data", wait=7 * 86_400)
    (spelled,) = routes(hooked(signal(), search=["order_id"]))
    assert spelled.shortcut and spelled.shortcut.search == "order_id"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"method": "get"}, "method"),
        ({"method": 5}, "method"),
        ({"path": "users"}, "path"),
        ({"path": "/a/{x...}/b"}, "path"),
        ({"path": 5}, "path"),
        ({"func": "nothing"}, "func"),
        ({"func": ""}, "func"),
        ({"auth": None}, "auth"),
        ({"auth": "open"}, "auth"),
        ({"auth": True}, "auth"),
        ({"auth": {}}, "auth"),
        ({"auth": {**HMAC, "token": {"secret_env": "T"}}}, "auth"),
        ({"auth": {"hmac": "x"}}, "auth.hmac"),
        ({"auth": {"hmac": {"secret_env": "S"}}}, "auth.hmac.header"),
        ({"auth": {"hmac": {"header": "a b", "secret_env": "S"}}}, "auth.hmac.header"),
        ({"auth": {"hmac": {"header": "X"}}}, "auth.hmac.secret_env"),
        ({"auth": {"hmac": {"header": "X", "secret_env": "a b"}}}, "auth.hmac.secret_env"),
        ({"auth": {"hmac": {"header": "X", "secret_env": "S", "algorithm": "md5"}}}, "auth.hmac.algorithm"),
        ({"auth": {"hmac": {"header": "X", "secret_env": "S", "encoding": "hax"}}}, "auth.hmac.encoding"),
        ({"auth": {"hmac": {"header": "X", "secret_env": "S", "prefix": 1}}}, "auth.hmac.prefix"),
        ({"auth": {"hmac": {"header": "X", "secret_env": "S", "tolerance": "5m"}}}, "auth.hmac.tolerance"),
        ({"auth": {"hmac": {"header": "X", "secret_env": "S", "timestamp_header": "T", "tolerance": "0"}}},
         "auth.hmac.tolerance"),
        ({"auth": {"hmac": {"header": "X", "secret_env": "S", "timestamp_header": "T", "tolerance": "2d"}}},
         "auth.hmac.tolerance"),
        ({"auth": {"hmac": {"header": "X", "secret_env": "S", "timestamp_header": "X"}}}, "auth.hmac.prefix"),
        ({"auth": {"token": {}}}, "auth.token.secret_env"),
        ({"auth": {"basic": {"password_env": "P"}}}, "auth.basic.username"),
        ({"auth": {"basic": {"username": "a:b", "password_env": "P"}}}, "auth.basic.username"),
        ({"auth": {"basic": {"username": "a"}}}, "auth.basic.password_env"),
        ({"rate": "often"}, "rate.requests"),
        ({"rate": "5"}, "rate.window"),
        ({"rate": "0/1m"}, "rate.requests"),
        ({"rate": "5/2d"}, "rate.window"),
        ({"rate": 5}, "rate"),
        ({"max_body": "17MB"}, "max_body"),
        ({"max_body": -1}, "max_body"),
        ({"max_body": "much"}, "max_body"),
        ({"timeout": "3m"}, "timeout"),
        ({"timeout": "0"}, "timeout"),
        ({"id_header": "a b"}, "id_header"),
    ],
)  # fmt: skip
def test_each_fault_of_an_endpoint_is_one_problem_with_its_field(fields: dict[str, Any], field: str) -> None:
    assert said(problems(router(), endpoint(**fields), FUNC)) == [(field, "error")]


def test_an_endpoint_needs_a_router_and_auth_said_by_one_of_the_two() -> None:
    assert said(problems(endpoint(meta={}), FUNC)) == [("meta.router", "error")]
    assert said(problems(endpoint(meta={"router": 5}), FUNC)) == [("meta.router", "error")]
    assert said(problems(endpoint(), FUNC)) == [("meta.router", "error")]
    assert said(problems(endpoint(meta={"router": "f"}), FUNC)) == [("meta.router", "error")]
    silent = endpoint(auth=None)
    (problem,) = problems(router(), silent, FUNC)
    assert "say `auth`, or `auth: none`" in str(problem)
    assert told(router(auth="none"), silent, FUNC) == []
    assert said(problems(router(auth="all"), silent, FUNC)) == [("auth", "error")]


@pytest.mark.parametrize("kind", ["process.lua", "workflow.lua", "library.lua"])
def test_only_functions_answer(kind: str) -> None:
    (problem,) = problems(router(), endpoint(), entry("f", kind, source="return {}"))
    assert problem.field == "func"
    assert "`function.lua`, `function.python`" in problem.message


def test_a_function_that_code_declares_answers_too() -> None:
    entries = {each.id: each for each in (router(), endpoint(func="shop:price"))}
    assert errors_in(validate(entries, no_check))
    assert not validate(entries, no_check, elsewhere={"shop:price"})


@pytest.mark.parametrize(
    ("data", "field", "severity"),
    [
        ({"prefix": "api"}, "prefix", "error"),
        ({"prefix": 5}, "prefix", "error"),
        ({"auth": "open"}, "auth", "error"),
        ({"rate": "x"}, "rate.requests", "error"),
        ({"max_body": "x"}, "max_body", "error"),
        ({"middleware": ["token_auth"]}, "middleware.0", "error"),
        ({"middleware": ["cors", "sendfile"]}, "middleware.1", "error"),
        ({"post_middleware": ["endpoint_firewall"]}, "post_middleware.0", "error"),
        ({"post_middleware": ["resource_firewall"]}, "post_middleware.0", "error"),
        ({"post_middleware": ["websocket_relay"]}, "post_middleware.0", "error"),
        ({"post_middleware": ["sse_relay"]}, "post_middleware.0", "error"),
        ({"middleware": ["corse"]}, "middleware.0", "error"),
        ({"middleware": ["compress"]}, "middleware.0", "warning"),
        ({"middleware": ["real_ip"]}, "middleware.0", "warning"),
        ({"middleware": ["metrics"]}, "middleware.0", "warning"),
        ({"middleware": ["otel"]}, "middleware.0", "warning"),
        ({"options": {"cors.allow.origins": "*"}}, "options.cors", "warning"),
        ({"middleware": ["cors"], "options": {"cors.allow.orgins": "*"}}, "options.cors.allow.orgins", "warning"),
        ({"middleware": ["cors"], "options": {"cors.allow.origins": 5}}, "options.cors.allow.origins", "error"),
        ({"middleware": ["cors"], "options": {"cors.expose.headers": "a\r\nb"}}, "options.cors.expose.headers",
         "error"),
        ({"middleware": ["cors"], "options": {"cors.allow.credentials": "yes"}}, "options.cors.allow.credentials",
         "error"),
        ({"middleware": ["cors"], "options": {"cors.allow.credentials": "true"}}, "options.cors.allow.credentials",
         "error"),
        ({"middleware": ["cors"], "options": {"cors.max.age": "long"}}, "options.cors.max.age", "error"),
        ({"middleware": ["ratelimit"], "options": {"ratelimit.requests": "x"}}, "options.ratelimit.requests", "error"),
        ({"middleware": ["ratelimit"], "options": {"ratelimit.window": "x"}}, "options.ratelimit.window", "error"),
        ({"middleware": ["ratelimit"], "options": {"ratelimit.key": "query:k"}}, "options.ratelimit.key", "error"),
        ({"middleware": ["ratelimit"], "options": {"ratelimit.key": "header:"}}, "options.ratelimit.key", "error"),
    ],
)  # fmt: skip
def test_each_fault_of_a_router_is_one_problem_with_its_field(data: dict[str, Any], field: str, severity: str) -> None:
    assert said(problems(router(**data))) == [(field, severity)]


def test_what_replaces_a_middleware_that_is_not_here_is_said() -> None:
    (problem,) = problems(router(middleware=["token_auth"]))
    assert "auth: {token: {secret_env: NAME}}" in problem.hint


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"path": "/x", "auth": "none"}, ""),
        (signal(starts=True), ""),
        (start(starts=False), "starts"),
        (start(path=None), "path"),
        (start(path="x"), "path"),
        (start(auth=None), "auth"),
        (start(auth={"token": {"secret_env": ""}}), "auth.token.secret_env"),
        (start(method="GET"), "method"),
        (start(method="BREW"), "method"),
        (start(key="$.x"), "key"),
        (start(wait="5m"), "wait"),
        (start(workflow_id="id"), "workflow_id"),
        (start(payload="x"), "payload"),
        (start(schema="x"), "schema"),
        (start(schema={"type": "oject"}), "schema"),
        (start(rate="x"), "rate.requests"),
        (start(max_body="x"), "max_body"),
        (start(id_header=""), "id_header"),
        (signal(signal=""), "signal"),
        (signal(workflow_id="$.x"), "workflow_id"),
        (signal(key="order_id"), "key"),
        (signal(key="$.other"), "key"),
        (signal(search="$.other"), "search"),
        (signal(wait="40d"), "wait"),
        (signal(wait="-1s"), "wait"),
    ],
)
def test_each_fault_of_a_webhook_is_one_problem_with_its_field(item: dict[str, Any], field: str) -> None:
    where = f"meta.webhooks.1.{field}".removesuffix(".")
    assert said(problems(hooked(start(path="/first"), item))) == [(where, "error")]


def test_webhooks_are_a_list_of_a_workflow() -> None:
    assert said(problems(workflow("w", {"webhooks": {}}))) == [("meta.webhooks", "error")]
    assert said(problems(workflow("w", {"webhooks": ["x"]}))) == [("meta.webhooks.0", "error")]
    assert said(problems(hooked(start(wiat=1)))) == [("meta.webhooks.0.wiat", "warning")]
    (problem,) = problems(entry("f", "function.lua", {"webhooks": [start()]}, source="return {}"))
    assert (problem.field, problem.severity) == ("meta.webhooks", "warning")
    assert "http.endpoint" in problem.message


def test_two_that_cant_be_told_apart_name_each_other() -> None:
    here = endpoint("here", path="/orders/{id}", method="POST")
    other = endpoint("other", path="/orders/{number}/", method="POST")
    found = problems(router(), here, other, FUNC)
    assert [(each.entry_id, each.field) for each in found] == [("app:here", "path"), ("app:other", "path")]
    assert "app:other" in found[0].message
    assert "app:here" in found[1].message
    found = problems(router(), endpoint(path="/orders", method="POST"), hooked(start()), FUNC)
    assert [(each.entry_id, each.field) for each in found] == [("app:e", "path"), ("app:w", "meta.webhooks.0.path")]
    assert said(problems(hooked(start(), start()))) == [
        ("meta.webhooks.0.path", "error"),
        ("meta.webhooks.1.path", "error"),
    ]
    every = endpoint("every", path="/orders/{id}", method="*")
    assert told(router(), here, every, FUNC) == []


def test_endpoints_that_nobody_touches_keep_nobody_from_publishing() -> None:
    old = [router(), endpoint("a", auth=None), endpoint("b"), endpoint("c"), FUNC, function("new")]
    entries = {each.id: each for each in old}
    assert not validate(entries, no_check, touched=["app:new"])
    assert [each.entry_id for each in validate(entries, no_check, touched=["app:a"])] == ["app:a"]
    assert {each.entry_id for each in validate(entries, no_check, touched=["app:b"])} == {"app:b", "app:c"}
    assert {each.entry_id for each in validate(entries, no_check, touched=["app:api"])} == {"app:a", "app:b", "app:c"}


def test_what_is_used_cant_be_deleted() -> None:
    kept = (endpoint(), FUNC)
    assert told(*kept, deleted=("app:api",)) == ["app:api: can't be deleted: used by app:e (meta.router)"]
    assert told(router(), endpoint(), deleted=("app:f",)) == ["app:f: can't be deleted: used by app:e (func)"]
    served = router({"server": "web"})
    assert told(served, deleted=("app:web",)) == ["app:web: can't be deleted: used by app:api (meta.server)"]


def test_a_placeholder_is_left_to_the_environment_and_its_default_is_checked() -> None:
    assert told(router(prefix="${env:PREFIX}"), endpoint(), FUNC) == []
    assert told(router(prefix="${env:PREFIX|/api}"), endpoint(max_body="${env:MOST|100}"), FUNC) == []
    assert said(problems(router(prefix="${env:PREFIX|api}"))) == []
    assert said(problems(router(), endpoint(auth="${env:AUTH}"), FUNC)) == []


def test_no_key_of_a_certificate_stands_in_the_registry_nor_in_a_message() -> None:
    found = problems(entry("web", "http.service", addr=":443", tls={"mode": "manual", "key": "-----BEGIN hunter2"}))
    assert [each.field for each in errors_in(found)] == ["tls.key"]
    assert "hunter2" not in "".join(map(str, found))


def test_a_variable_that_is_not_set_is_a_warning_where_it_is_named() -> None:
    basic = {"basic": {"username": "u", "password_env": "PASSWORD"}}
    token = {"token": {"secret_env": "app:token"}}
    found = [
        *unset(router(auth=HMAC), {"OTHER"}),
        *unset(endpoint(auth=basic), ()),
        *unset(hooked(start(), signal(auth=token)), ()),
    ]
    fields = ["auth.hmac.secret_env", "auth.basic.password_env", "meta.webhooks.1.auth.token.secret_env"]
    assert said(found) == [(field, "warning") for field in fields]
    assert not list(unset(router(auth=HMAC), {"SECRET"}))


def test_ways_to_prove_who_sends_are_read() -> None:
    assert auth.read({"token": {"secret_env": "T"}}) == Token("T")
    assert auth.read({"token": {"secret_env": "a.b:t", "header": "X-Token"}}) == Token("a.b:t", "x-token")
    assert auth.read({"basic": {"username": "u", "password_env": "P"}}) == Basic("u", "P")
    stamped = {"header": "S", "secret_env": "K", "timestamp_header": "T"}
    assert auth.read({"hmac": stamped}) == Hmac("s", "K", timestamp_header="t", tolerance=300)
    assert auth.read({"hmac": {**stamped, "tolerance": "30s"}}).headers == ("s", "t")
    assert auth.read("none") == Open()


@pytest.mark.parametrize(
    ("value", "size"),
    [(0, 0), ("512", 512), ("64KB", 65_536), ("64 kb", 65_536), ("1MiB", 1 << 20), ("16MB", 16 << 20), ("5B", 5)],
)
def test_sizes_are_numbers_of_bytes_or_have_a_unit(value: Any, size: int) -> None:
    assert limits.max_body(value) == size


@pytest.mark.parametrize("value", ["", "1GB", "1.5MB", "-1", True, None, [], 1.5])
def test_what_is_no_size_is_refused(value: Any) -> None:
    with pytest.raises(Unreadable):
        limits.max_body(value)


def test_rates_are_read_in_both_forms() -> None:
    assert limits.rate("60/1m") == limits.rate({"requests": 60, "window": "1m"}) == (60, 60.0)
    assert limits.rate({"requests": "5", "window": 2000}) == (5, 2.0)
    for value in ("60/", "/1m", "60/1ms", "1e3/1m", "٣/1m", {"requests": True, "window": "1m"}, {}):
        with pytest.raises(Unreadable):
            limits.rate(value)


def test_a_wait_may_be_none_or_days() -> None:
    assert [limits.wait(each) for each in (0, "0", "10m", "2d", 1500)] == [0, 0, 600, 172_800, 1.5]


def test_other_origins_are_read_in_both_spellings() -> None:
    options = {"cors.allow.origins": "https://a.example, https://*.b.example", "cors_allow_methods": "get,POST",
               "cors_allow_private_network": "true", "cors.max_age": "60", "cors.allow.credentials": True}  # fmt: skip
    found = middleware.cors({"middleware": ["cors"], "options": options})
    assert found == Cors(("https://a.example", "https://*.b.example"), ("GET", "POST"), private_network=True,
                         max_age=60, credentials=True)  # fmt: skip
    assert middleware.cors({"options": options}) is None


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example", True),
        ("https://A.example", True),
        ("http://a.example", False),
        ("https://a.example.evil", False),
        ("https://x.b.example", True),
        ("https://x.y.b.example", True),
        ("http://x.b.example", False),
        ("https://b.example", False),
        ("https://evilb.example", False),
        ("https://.b.example", False),
        ("http://c.example", True),
        ("https://c.example:8443", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_page_may_ask_when_its_origin_is_named(origin: str, allowed: bool) -> None:
    known = Cors(("https://a.example", "https://*.b.example", "c.example"))
    assert known.allows(origin) is allowed
    assert Cors().allows(origin)


def test_a_routers_own_rate_counts_for_all_of_it_by_address_or_header() -> None:
    by_header = {"ratelimit.requests": "5", "ratelimit.window": "10s", "ratelimit.key": "header:X-Api-Key"}
    (route,) = routes(endpoint(), router(middleware=["ratelimit"], options=by_header, rate="2/1s"))
    assert route.rates == (Rate(2, 1, "GET /hooks/users/{id}"), Rate(5, 10, "app:api", "x-api-key"))
    (plain,) = routes(endpoint(), router(middleware=["ratelimit"]))
    assert plain.rates == (Rate(100, 60, "app:api"),)


def test_a_field_that_only_webhooks_of_a_workflow_have_is_taken_as_it_is_written() -> None:
    literal = hooked(start(path="/${env:PATH_OF_HOOKS|orders}"))
    assert said(problems(literal)) == [("meta.webhooks.0.path", "error")]


class Lookup(dict[str, Entry]):
    """Entries as hosts look them up."""

    def entry(self, entry_id: str) -> Entry | None:
        return self.get(entry_id)

    def entries(self, kind: str) -> list[Entry]:
        return [each for each in self.values() if each.kind == kind]


def test_a_service_says_under_whom_its_endpoints_run() -> None:
    policy = entry("p", "security.policy", policy={"actions": "*", "resources": "*", "effect": "allow"})
    block = {"actor": {"id": "gateway"}, "policies": ["p"]}
    service = entry("web", "http.service", lifecycle={"security": block})
    found = Lookup({each.id: each for each in (policy, service, router({"server": "web"}), endpoint())})
    context = of_endpoint("app:e", found)
    assert context and context.actor and context.scope is not None
    assert (context.actor.id, [each.id for each in context.scope]) == ("gateway", ["app:p"])
    assert errors_in(problems(entry("web", "http.service", lifecycle={"security": {"policies": ["none"]}})))
    del found["app:p"]
    with pytest.raises(UnitFailed):
        of_endpoint("app:e", found)
    assert of_endpoint("app:e", Lookup({**found, "app:web": entry("web", "http.service")})) is None
    assert of_endpoint("app:e", Lookup({**found, "app:api": router()})) is None
    assert of_endpoint("app:e", Lookup()) is None
