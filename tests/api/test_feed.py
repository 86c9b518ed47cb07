"""The feed by the API, in pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from tests.api.calling import Api, api_of
from tests.console.operating import Cast
from wippy_console.models import Grant
from wippy_console.services import feed, feed_pages


def told(count: int, entry: str = "app:flow", **data: Any) -> list[int]:
    """The ids of new events."""
    drafts = [feed.draft(feed.STUCK, entry_id=entry, data={"reason": f"number {n}", **data}) for n in range(count)]
    return [event.id for event in feed.append_all(drafts)]


def walked(api: Api, query: str) -> list[int]:
    """The ids of all pages."""
    found, cursor = [], ""
    while True:
        page = api.get(f"/feed?{query}&cursor={cursor}")
        assert page.status_code == 200, page.content
        found += [each["id"] for each in page.json()["items"]]
        cursor = page.json()["next"]
        if not cursor:
            return found


def test_pages_go_back_and_on_without_a_gap(cast: Cast) -> None:
    ids = told(25)
    api = api_of(cast.viewer)
    assert walked(api, "limit=10") == ids[::-1]
    assert walked(api, f"limit=10&since={ids[4]}") == ids[5:]
    first = api.get("/feed?limit=1").json()
    assert first["since"] == ids[-1]
    assert {"kind": "STUCK", "entry": "app:flow", "data": {"reason": "number 24"}}.items() <= first["items"][0].items()
    later = told(2)
    assert walked(api, f"since={first['since']}") == later


def test_texts_are_looked_for_however_far_back(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_pages, "WINDOW", 5)
    (old,) = told(1, error="lost")
    told(23)
    api = api_of(cast.viewer)
    for query in ("text=LOST", "text=lost&since=0"):
        assert walked(api, query) == [old]
    assert api.get("/feed?text=lost").json()["items"] == []


@pytest.mark.parametrize(
    ("query", "some"),
    [("kind=EXIT", False), ("kind=EXIT&kind=STUCK", True), ("entry=app:other", False), ("run=none", False),
     ("user=ann", True), ("text=number", True), ("text=number+zzz", False)],
)  # fmt: skip
def test_filters_narrow_both_directions(cast: Cast, query: str, some: bool) -> None:
    told(1, user="ann")
    api = api_of(cast.viewer)
    assert bool(walked(api, query)) is some
    assert bool(walked(api, f"{query}&since=0")) is some


@pytest.mark.parametrize(
    "query", ["kind=ODD", "cursor=x", "cursor=b1x", "since=-1", "since=9223372036854775808", "run_id=1"]
)
def test_what_is_no_filter_is_refused_at_its_place(cast: Cast, query: str) -> None:
    answered = api_of(cast.viewer).get(f"/feed?{query}")
    assert answered.status_code == 422
    assert answered.json()["errors"][0]["path"].startswith(f"/{query.partition('=')[0]}")


def test_rights_narrow_it_and_without_the_right_there_is_none(cast: Cast) -> None:
    (hidden,), (shown,) = told(1, "app.secret:flow"), told(1, "shop:flow")
    (published,) = [feed.append(feed.PUBLISHED, data={"version": 3, "author": "ann", "total": 1}).id]
    user = User.objects.create_user("narrow")
    group = Group.objects.create(name="narrow")
    group.permissions.set(Group.objects.get(name="viewer").permissions.all())
    Grant.objects.create(group=group, pattern="shop.*")
    user.groups.add(group)
    assert walked(api_of(user), "limit=10") == [published, shown]
    assert api_of(user).get("/feed?limit=1").json()["items"][0]["data"] == {"version": 3}
    assert walked(api_of(cast.viewer, namespaces=["app.*"]), "since=0") == [hidden, published]
    for path in ("/feed", "/feed/events"):
        assert api_of(cast.stranger).get(path).status_code == 403
        assert api_of(cast.viewer, rights=["view_run"]).get(path).status_code == 403
