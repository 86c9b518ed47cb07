"""Filters that can't be used are named, on every page with a list, and nothing is listed in their stead."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.console.operating import Cast

LONG = "x" * 2001
ADDRESSES = {
    f"/runs/?q={LONG}": "q",
    "/runs/?started_from=then": "started_from",
    f"/inbox/?q={LONG}": "q",
    "/inbox/?priority=odd": "priority",
    "/inbox/?since=then": "since",
    "/inbox/?view=odd": "view",
    f"/live/?q={LONG}": "q",
    "/live/?kind=ODD": "kind",
    "/live/?since=odd": "odd",
    f"/registry/?q={LONG}": "q",
    "/registry/?q=%00": "q",
    "/registry/?kind=odd": "kind",
    f"/processes/?q={LONG}": "q",
    "/processes/?page=odd": "page",
    f"/audit/?user={LONG}": "user",
    "/audit/?since=then": "since",
    "/audit/?action=odd": "odd",
    "/audit/?before=odd": "odd",
    "/notifications/?state=odd": "odd",
}


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address[:40])
def test_it_is_said_which(cast: Cast, address: str) -> None:
    client = Client()
    client.force_login(cast.root)
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.get(address, headers=headers)
        text = answer.content.decode()
        assert answer.status_code == 422
        assert ADDRESSES[address] in text
        assert "data-row" not in text
