"""What an entry's page says of its addresses: where, how to ask, and why nobody is let in; the line works."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from engine.entry import Entry
from engine.registry.hooks import auth as asked
from engine.registry.hooks.paths import Pattern
from engine.registry.hooks.route import Route, Shortcut
from tests.console.departments import member
from tests.console.registry_cast import create, function, update
from wippy_console import permissions
from wippy_console.services import temporal
from wippy_console.services.hooks import auth, curl

TOKEN = {"token": {"secret_env": "HOOK_TOKEN"}}
ROUTER = Entry("app:api", "http.router", {"server": "web"}, {"prefix": "/api", "auth": TOKEN})
ENDPOINT = Entry("app:e", "http.endpoint", {"router": "api"}, {"method": "POST", "path": "/orders/{id}", "func": "f"})
WEB = Entry("app:web", "http.service", {}, {"addr": ":8080"})
WORKFLOW = Entry(
    "app:w",
    "workflow.lua",
    {"search": ["$.id"], "webhooks": [
        {"path": "/orders", "auth": "none", "starts": True},
        {"path": "/paid", "auth": {"basic": {"username": "bank", "password_env": "HOOK_PASSWORD"}}, "signal": "paid",
         "key": "$.id"},
    ]},
    {"source": "return {}"},
)  # fmt: skip


@pytest.fixture
def browser(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The browser of a root user, beside a registry that threads read."""
    monkeypatch.setenv("HOOK_TOKEN", "s3cr3t")
    temporal.reset()
    create(WEB, ROUTER, ENDPOINT, WORKFLOW, function("f"))
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    yield client
    temporal.reset()


def shown(client: Client, entry_id: str, query: str = "") -> str:
    answer = client.get(reverse("entry", args=(entry_id,)) + query)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_an_endpoint_shows_its_address_who_may_send_and_a_line_of_curl(browser: Client) -> None:
    text = shown(browser, "app:e")
    assert "http://testserver/hooks/api/orders/{id}" in text
    assert "Senders give a bearer token." in text
    assert "curl -X POST http://testserver/hooks/api/orders/ID" in text
    assert '-H "Authorization: Bearer $HOOK_TOKEN"' in text
    assert "is not set" not in text
    assert "s3cr3t" not in text


def test_a_workflow_shows_its_shortcuts_and_what_is_wrong_with_them(browser: Client) -> None:
    text = shown(browser, "app:w")
    assert "http://testserver/hooks/orders" in text
    assert "Starts a run. Whoever knows the address may send." in text
    assert "Signals paid to the run whose $.id is $.id of the body" in text
    assert "The variable HOOK_PASSWORD is not set" in text
    assert '-u bank:"$HOOK_PASSWORD"' in text


@pytest.mark.parametrize("entry_id", ["app:api", "app:web"])
def test_a_router_and_its_service_show_what_stands_below(browser: Client, entry_id: str) -> None:
    text = shown(browser, entry_id)
    assert reverse("entry", args=("app:e",)) in text
    assert "http://testserver/hooks/api/orders/{id}" in text


def test_what_has_just_been_published_is_shown_at_once(browser: Client) -> None:
    shown(browser, "app:e")
    update(Entry("app:e", "http.endpoint", {"router": "api"}, {**ENDPOINT.data, "path": "/newer"}))
    assert "http://testserver/hooks/api/newer" in shown(browser, "app:e")
    assert "/hooks/" not in shown(browser, "app:e", "?at=1")


def test_other_entries_have_no_addresses(browser: Client) -> None:
    assert "Addresses" not in shown(browser, "app:f")


def test_endpoints_out_of_sight_are_not_listed_below_a_router(browser: Client) -> None:
    data = {**ENDPOINT.data, "path": "/other", "func": "app:f"}
    create(Entry("other:e", "http.endpoint", {"router": "app:api"}, data))
    assert "/hooks/api/other" in shown(browser, "app:api")
    permissions.install_groups(Group, Permission)
    limited = Client()
    limited.force_login(member("limited", patterns=("app",)))
    text = shown(limited, "app:api")
    assert "/hooks/api/orders/{id}" in text
    assert "/hooks/api/other" not in text


def route(value: Any, **fields: Any) -> Route:
    return Route("POST", Pattern.parse("/x-y"), "app:e", "call", "app:f", asked.read(value), **fields)


SIGNED = {"header": "X-Signature", "secret_env": "app:hook-secret"}


@pytest.mark.parametrize(
    "value",
    [
        {"hmac": SIGNED},
        {"hmac": {**SIGNED, "prefix": "sha256=", "algorithm": "sha256"}},
        {"hmac": {**SIGNED, "encoding": "base64", "algorithm": "sha512"}},
        {"hmac": {**SIGNED, "timestamp_header": "X-Time", "algorithm": "sha1"}},
        {"hmac": {**SIGNED, "timestamp_header": "X-Signature", "prefix": "v1="}},
        {"hmac": {**SIGNED, "prefix": "$(exit)\"'`x`"}},
        {"token": {"secret_env": "app:hook-secret"}},
        {"token": {"secret_env": "app:hook-secret", "header": "X-Token"}},
        {"basic": {"username": "it's $me", "password_env": "app:hook-secret"}},
    ],
)
def test_a_shell_that_runs_the_line_sends_what_is_let_in(browser: Client, value: Any) -> None:
    create(Entry("app:hook-secret", "env.variable", {}, {"default": "a 'secret' \"of\" $letters"}))
    temporal.catalog().refresh()
    door = route(value, id_header="x-id", shortcut=Shortcut("t", "$.order.id", "order.id"))
    script = "curl() { for each; do printf '%s\\0' \"$each\"; done; }\n" + curl.line(door, "http://here")
    environ = {"hook_secret": "a 'secret' \"of\" $letters", "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(["sh", "-c", script], env=environ, capture_output=True, check=True)
    args = ran.stdout.decode().split("\0")
    assert args[:3] == ["-X", "POST", "http://here/hooks/x-y"]
    given = dict(zip(args[3::2], args[4::2], strict=False))
    pairs = (each.partition(": ") for flag, each in zip(args[3::2], args[4::2], strict=False) if flag == "-H")
    headers = [(name.lower(), text) for name, _, text in pairs]
    if "-u" in given:
        headers.append(("authorization", "Basic " + base64.b64encode(given["-u"].encode()).decode()))
    assert given["-d"] == '{"order": {"id": "ID"}}'
    assert ("x-id", "ID") in headers
    assert auth.refusal(door, headers, given["-d"].encode()) is None
