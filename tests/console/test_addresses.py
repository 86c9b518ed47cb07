"""Addresses that nobody of ours wrote: each is answered for what it says, never by everything, never by a failure."""

from __future__ import annotations

import base64
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django.utils.http import urlencode

from engine.entry import Entry
from tests.console.registry_cast import create
from wippy_console.models import Run
from wippy_console.services import feed

pytestmark = pytest.mark.django_db

RUN = "01a21df0-f31f-7a02-9c13-a77145c6038a"
LONG = "x" * 2001
ODD = ("\0", "\ufffd", "x\0y", LONG, "-1", "9" * 30, "banana", "٣", "%", "'", "2026-13-45", "\U0001f4a5")

SEARCHED = {
    "/runs/": ("q", "status", "entry", "before"),
    "/processes/": ("q", "node", "host", "under", "page"),
    "/registry/": ("q", "kind"),
    "/registry/app:flow/": ("tab", "at", "old", "new"),
    "/inbox/": ("view",),
    "/live/": ("kind", "since", "before"),
    "/palette/": ("q",),
    f"/runs/the-run/{RUN}/": ("tab", "kind", "only", "find", "all"),
    "/runs/start/": ("entry",),
    "/registry/new/": ("kind",),
    "/admin/wippy_console/run/": ("q", "p", "o", "all", "status__exact", "started_at__gte", "doing"),
    "/admin/wippy_console/feedevent/": ("q", "p", "kind__exact", "at__gte"),
    "/admin/wippy_console/decision/": ("q", "p", "state__exact", "created_at__gte"),
    "/admin/wippy_console/question/": ("q", "p"),
    "/admin/wippy_console/process/": ("q", "p"),
}


@pytest.fixture(autouse=True)
def one_run(client: Client) -> Run:
    client.force_login(User.objects.create_superuser("root", password="x"))
    create(Entry("app:flow", "workflow.lua", {}, {"source": "return {main = function() end}"}))
    run = Run.objects.create(
        run_id=RUN, workflow_id="the-run", entry_id="app:flow", client="app:client", started_at=timezone.now()
    )  # fmt: skip
    feed.append(feed.STARTED, run=run)
    return run


def answered(client: Client, page: str, name: str, value: str) -> Any:
    return client.get(f"{page}?{urlencode({name: value})}")


@pytest.mark.parametrize(("page", "name"), [(page, name) for page, names in SEARCHED.items() for name in names])
def test_no_value_of_a_query_fails_a_page(client: Client, page: str, name: str) -> None:
    client.raise_request_exception = False
    found = {value: answered(client, page, name, value).status_code for value in ODD}
    assert {value[:9]: status for value, status in found.items() if status >= 500} == {}
    assert {found["\0"], found["x\0y"], found[LONG]} == {422}


@pytest.mark.parametrize(
    "path", ["/runs/%00/", f"/runs/%00/{RUN}/", "/registry/%00/", "/processes/%00/", "/inbox/9999999999999999999999/"]
)
def test_no_path_fails_a_page(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("page", "name", "value"),
    [(page, name, value) for page, name in (
        ("/runs/", "q"), ("/runs/", "status"), ("/runs/", "entry"), ("/runs/", "before"), ("/live/", "kind"),
        ("/live/", "before"), ("/palette/", "q"), ("/registry/", "q"), ("/registry/", "kind"),
    ) for value in (LONG, "\0", "banana", "\ufffd")],
)  # fmt: skip
def test_a_filter_that_nothing_meets_shows_nothing_or_says_what_is_wrong_with_it(
    client: Client, page: str, name: str, value: str
) -> None:
    response = answered(client, page, name, value)
    shown = response.content.decode()
    assert response.status_code == 422 or ("the-run" not in shown and "/registry/app:flow/" not in shown)
    if response.status_code == 422:
        assert "The address" in shown or "damaged" in shown


@pytest.mark.parametrize(
    ("page", "name", "value"),
    [
        ("/processes/", "page", "banana"), ("/processes/", "page", "-1"), ("/inbox/", "view", "banana"),
        ("/registry/app:flow/", "at", "-1"), ("/live/", "since", "-1"),
        ("/registry/app:flow/", "tab", "banana"), (f"/runs/the-run/{RUN}/", "only", "banana"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_refused_in_words(client: Client, page: str, name: str, value: str) -> None:
    response = answered(client, page, name, value)
    assert response.status_code == 422
    assert "The address can&#x27;t be read" in response.content.decode()


@pytest.mark.parametrize(
    "cursor", ["0001-01-01T00:00:00+14:00|x", "9999-12-31T23:59:59-14:00|x", "2026-01-01T00:00:00+00:00|\0", "2026|x"]
)  # fmt: skip
def test_a_cursor_of_a_time_that_no_database_has_is_damaged(client: Client, cursor: str) -> None:
    made = base64.urlsafe_b64encode(cursor.encode()).decode().rstrip("=")
    response = answered(client, "/runs/", "before", made)
    assert "the-run" not in response.content.decode()
    assert response.status_code in (200, 422)


@pytest.mark.parametrize("text", [LONG, "\0", "\udcff", "a\ud800"])
def test_the_command_line_finds_nothing_by_a_text_that_no_run_has(text: str) -> None:
    out = StringIO()
    call_command("runs", "--text", text, stdout=out)
    assert "the-run" not in out.getvalue()


@pytest.mark.parametrize("name", ["started_at__gte", "started_at__lt"])
def test_the_admin_does_not_show_all_for_a_filter_that_it_can_not_read(client: Client, name: str) -> None:
    response = client.get(f"/admin/wippy_console/run/?{name}=banana", follow=True)
    assert response.status_code >= 400
    assert "the-run" not in response.content.decode()
