"""What a signed-in person was shown stays in no cache, whatever kind of answer it is."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.console.operating import Cast
from wippy_console.views import home

ADDRESSES = (
    "/", "/runs/", "/inbox/", "/registry/", "/people/services/", "/admin/", "/admin/auth/user/", "/api/docs/",
    "/audit/export.csv", "/runs/nothing/here/", "/preferences/tokens/", "/api/v1/runs", "/health/",
)  # fmt: skip


def kept(answer: Any) -> str:
    return str(answer.get("Cache-Control", ""))


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_cache_keeps_what_a_signed_in_person_was_shown(cast: Cast, address: str) -> None:
    client = Client()
    client.force_login(cast.administrator)
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.get(address, headers=headers)
        assert answer.status_code != 302 and "no-store" in kept(answer), answer.status_code


def test_nor_a_failure(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> HttpResponse:
        raise RuntimeError

    monkeypatch.setattr(home, "page", fail)
    client = Client(raise_request_exception=False)
    client.force_login(cast.administrator)
    answer = client.get("/")
    assert answer.status_code == 500 and "no-store" in kept(answer)


def test_back_leads_to_the_same_form_where_a_new_one_would_act_again(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.operator)
    assert kept(client.get("/runs/start/")) == "private, no-cache"
