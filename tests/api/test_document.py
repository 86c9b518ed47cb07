"""The document of the API changes only by addition within version 1."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.api import contract

START = ("/api/v1/runs", "post")


def test_the_document_only_grows() -> None:
    found = contract.breaks(contract.stored(), contract.document())
    assert not found, "clients of v1 would fail:\n" + "\n".join(found)


def test_the_stored_copy_has_all_additions() -> None:
    assert contract.stored() == contract.document(), f"additions are taken in by {contract.COMMAND}"


def _lose_path(new: Any) -> None:
    del new["paths"]["/api/v1/feed"]


def _need_a_field(new: Any) -> None:
    new["components"]["schemas"]["StartIn"]["required"] = ["entry", "args"]


def _lose_a_field(new: Any) -> None:
    del new["components"]["schemas"]["Event"]["properties"]["pid"]


def _lose_a_kind(new: Any) -> None:
    kinds = next(each for each in new["paths"]["/api/v1/feed"]["get"]["parameters"] if each["name"] == "kind")
    kinds["schema"]["items"]["enum"].remove("EXIT")


def _lose_a_parameter(new: Any) -> None:
    new["paths"]["/api/v1/feed"]["get"]["parameters"].pop(0)


def _change_a_type(new: Any) -> None:
    new["components"]["schemas"]["Event"]["properties"]["id"]["type"] = "string"


def _narrow_a_bound(new: Any) -> None:
    new["components"]["schemas"]["StartIn"]["properties"]["entry"]["maxLength"] = 10


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_lose_path, "GET /api/v1/feed is gone"),
        (_need_a_field, "POST /api/v1/runs: body.args is required now"),
        (_lose_a_field, "GET /api/v1/feed: 200.items[].pid is gone"),
        (_lose_a_kind, "GET /api/v1/feed: kind[]: EXIT is gone"),
        (_lose_a_parameter, "GET /api/v1/feed: the parameter text is gone"),
        (_change_a_type, "GET /api/v1/feed: 200.items[].id: it was integer and is string"),
        (_narrow_a_bound, "POST /api/v1/runs: body.entry: maxLength is narrower"),
    ],
)
def test_what_would_break_a_client_is_told(change: Callable[[Any], None], told: str) -> None:
    new = deepcopy(contract.document())
    change(new)
    assert told in contract.breaks(contract.document(), new)


def test_additions_break_nothing() -> None:
    old, new = contract.document(), deepcopy(contract.document())
    schemas = new["components"]["schemas"]
    schemas["StartIn"]["properties"]["later"] = {"type": "string"}
    schemas["Event"]["properties"]["later"] = {"type": "string"}
    schemas["Event"]["required"].append("later")
    new["paths"]["/api/v1/later"] = {"get": {"responses": {}}}
    assert contract.breaks(old, new) == []
