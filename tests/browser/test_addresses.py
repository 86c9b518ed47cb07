"""Ids in addresses."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

import pytest
from django.urls import resolve, reverse
from hypothesis import given
from hypothesis import strategies as st

RUN_ID = "01a2049c-0f1f-7acb-83c9-ac9c9660139e"
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


def seen_by_server(url: str) -> str:
    """What a server makes of the path."""
    return unquote(urlsplit(url).path)


@given(IDS)
def test_any_workflow_id_survives_the_way_through_an_address(workflow_id: str) -> None:
    url = reverse("run", args=(workflow_id, RUN_ID))
    assert url.isascii()
    assert resolve(seen_by_server(url)).kwargs == {"workflow_id": workflow_id, "run_id": RUN_ID}


@pytest.mark.parametrize("workflow_id", [".", "..", "a/../b", "a//b", "/a", "a/", "%", "%2e", "%.", "a/./b"])
def test_an_address_has_no_segment_that_browsers_drop(workflow_id: str) -> None:
    url = reverse("run", args=(workflow_id, RUN_ID))
    segments = [unquote(part) for part in url.strip("/").split("/")]
    assert not {"", ".", ".."} & set(segments)
    assert resolve(seen_by_server(url)).kwargs["workflow_id"] == workflow_id


def test_an_address_encoded_by_hand_works_too() -> None:
    path = f"/runs/{quote('order/7 ü:“x”%41', safe='')}/{RUN_ID}/"
    assert resolve(unquote(path)).kwargs["workflow_id"] == "order/7 ü:“x”%41"


@pytest.mark.parametrize("name", ["run_signal", "run_history"])
def test_a_run_id_ends_the_workflow_id(name: str) -> None:
    url = reverse(name, args=(f"a/{RUN_ID}/signal", RUN_ID))
    match = resolve(seen_by_server(url))
    assert (match.url_name, match.kwargs["workflow_id"]) == (name, f"a/{RUN_ID}/signal")


@given(IDS.filter(lambda text: text not in ("new",) and not text.startswith("edit/")))
def test_any_entry_id_and_any_foreign_workflow_type_survives(entry_id: str) -> None:
    match = resolve(seen_by_server(reverse("entry", args=[entry_id])))
    assert (match.url_name, match.kwargs) == ("entry", {"entry_id": entry_id})
