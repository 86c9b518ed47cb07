"""Saved views: filters of a list under a name, for oneself or for all."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.console.operating import Cast
from wippy_console.models import AuditRow, SavedView
from wippy_console.services import saved_views
from wippy_console.services.errors import Conflict, NotFoundError, Refused


def client(user: Any) -> Client:
    made = Client()
    made.force_login(user)
    return made


def names(user: Any, page: str = "runs") -> list[str]:
    return [view.name for view in saved_views.visible(user, page)]


def test_a_view_keeps_filters_and_columns_and_not_the_place_in_the_list(cast: Cast) -> None:
    query = "q=&status=failed&status=stuck&before=abc&columns=status,started&saved=7"
    view = saved_views.save(cast.viewer, "runs", " Broken  ones ", query)
    assert (view.name, view.query, view.columns) == ("Broken ones", "status=failed&status=stuck", ["status", "started"])
    assert saved_views.address(view) == f"?status=failed&status=stuck&columns=status%2Cstarted&saved={view.pk}"


def test_one_sees_ones_own_views_and_shared_ones_and_no_others(cast: Cast) -> None:
    saved_views.save(cast.operator, "runs", "theirs", "q=a")
    saved_views.save(cast.operator, "runs", "for all", "q=b", shared=True)
    saved_views.save(cast.viewer, "runs", "mine", "q=c")
    assert names(cast.viewer) == ["mine", "for all"]
    assert names(cast.operator) == ["for all", "theirs"]
    assert names(cast.viewer, "inbox") == []
    hidden = SavedView.objects.get(name="theirs")
    with pytest.raises(NotFoundError):
        saved_views.get(cast.viewer, hidden.pk)
    with pytest.raises(NotFoundError):
        saved_views.delete(cast.viewer, hidden.pk)
    with pytest.raises(NotFoundError):
        saved_views.get(cast.viewer, 10**30)


def test_sharing_takes_a_right_and_leaves_a_row_in_the_audit(cast: Cast) -> None:
    with pytest.raises(PermissionDenied, match="share views"):
        saved_views.save(cast.viewer, "runs", "all of it", "q=a", shared=True)
    assert not SavedView.objects.exists()
    view = saved_views.save(cast.operator, "runs", "all of it", "q=a", shared=True)
    saved_views.change(cast.operator, view.pk, name="all of it", shared=False)
    rows = AuditRow.objects.filter(action="share").order_by("pk")
    assert [(row.user, row.label, row.outcome) for row in rows] == [
        ("operator", "all of it", "shared"), ("operator", "all of it", "unshared"),
    ]  # fmt: skip


def test_a_shared_view_is_changed_by_its_owner_and_administrators(cast: Cast) -> None:
    view = saved_views.save(cast.operator, "runs", "ours", "q=a", shared=True)
    with pytest.raises(PermissionDenied, match="belongs to operator"):
        saved_views.change(cast.author, view.pk, name="mine now", shared=True)
    saved_views.change(cast.administrator, view.pk, name="renamed", shared=True, query="q=b")
    assert [(each.name, each.query, each.owner) for each in SavedView.objects.all()] == [
        ("renamed", "q=b", cast.operator)
    ]
    saved_views.delete(cast.administrator, view.pk)
    assert not SavedView.objects.exists()
    assert AuditRow.objects.filter(action="share", outcome="deleted", user="administrator").count() == 1


def test_what_can_be_no_view_is_refused_beside_its_field(cast: Cast) -> None:
    saved_views.save(cast.viewer, "runs", "one", "q=a")
    for name in ("", "  ", "x" * 101):
        with pytest.raises(Refused) as refused:
            saved_views.save(cast.viewer, "runs", name, "q=a")
        assert "name" in refused.value.fields
    with pytest.raises(Conflict):
        saved_views.save(cast.viewer, "runs", "one", "q=b")
    with pytest.raises(Refused, match="too long"):
        saved_views.save(cast.viewer, "runs", "two", f"q={'x' * 5000}")
    with pytest.raises(NotFoundError):
        saved_views.save(cast.viewer, "nowhere", "two", "q=a")


def test_of_two_forms_sent_at_once_the_second_is_told_that_the_name_is_taken(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved_views.save(cast.viewer, "runs", "one", "q=a")
    monkeypatch.setattr(saved_views, "_refuse_taken", lambda view: None)  # it looked before the first was there
    with pytest.raises(Conflict):
        saved_views.save(cast.viewer, "runs", "one", "q=a")


def test_a_page_opens_with_the_view_chosen_for_it_while_it_is_shared(cast: Cast) -> None:
    view = saved_views.save(cast.operator, "runs", "ours", "status=failed", shared=True)
    saved_views.open_with(cast.viewer, "runs", view.pk)
    web = client(cast.viewer)
    assert web.get("/runs/")["Location"] == f"/runs/?status=failed&saved={view.pk}"
    assert web.get("/runs/?saved=0").status_code == 200
    assert web.get("/inbox/").status_code == 200
    saved_views.change(cast.operator, view.pk, name="ours", shared=False)
    assert web.get("/runs/").status_code == 200
    with pytest.raises(Refused):
        saved_views.open_with(cast.operator, "inbox", view.pk)


def test_views_are_saved_renamed_and_deleted_on_their_pages(cast: Cast) -> None:
    web = client(cast.operator)
    sent = {"name": "Failures", "query": "status=failed", "shared": "on", "opens": "on"}
    answer = web.post(reverse("view_new", args=("runs",)), sent)
    view = SavedView.objects.get()
    assert answer["Location"] == f"/runs/?status=failed&saved={view.pk}"
    assert view.shared
    page = web.get(answer["Location"]).content.decode()
    assert 'aria-current="page"' in page
    assert "Failures" in client(cast.viewer).get("/runs/").content.decode()
    assert web.get("/runs/").status_code == 302  # it opens with it
    form = web.get(reverse("view_edit", args=(view.pk,)) + "?query=status%3Dstuck")
    assert "Put the filters of the page into it" in form.content.decode()
    changed = {"name": "Stuck", "query": "status=stuck", "fresh": "on"}
    assert web.post(reverse("view_edit", args=(view.pk,)), changed).status_code == 302
    view.refresh_from_db()
    assert (view.name, view.query, view.shared) == ("Stuck", "status=stuck", False)
    assert web.get("/runs/").status_code == 200
    assert web.post(reverse("view_delete", args=(view.pk,)))["Location"] == "/runs/?saved=0"
    assert not SavedView.objects.exists()


def test_a_refused_form_keeps_what_was_typed(cast: Cast) -> None:
    web = client(cast.viewer)
    saved_views.save(cast.viewer, "inbox", "taken", "q=a")
    answer = web.post(reverse("view_new", args=("inbox",)), {"name": "taken", "query": "label=Approve"})
    assert answer.status_code == 409
    assert "There is a view taken already." in answer.content.decode()
    assert 'value="label=Approve"' in answer.content.decode()


def test_of_others_views_one_chooses_only_whether_the_page_opens_so(cast: Cast) -> None:
    view = saved_views.save(cast.operator, "runs", "ours", "status=failed", shared=True)
    web = client(cast.viewer)
    assert 'name="name"' not in web.get(reverse("view_edit", args=(view.pk,))).content.decode()
    assert web.post(reverse("view_edit", args=(view.pk,)), {"name": "x", "opens": "on"}).status_code == 302
    view.refresh_from_db()
    assert view.name == "ours"
    assert saved_views.opening(cast.viewer, "runs") == view
    assert web.post(reverse("view_delete", args=(view.pk,))).status_code == 403
    assert client(cast.stranger).get(reverse("view_new", args=("runs",))).status_code == 403


def test_views_cost_a_list_the_same_queries_however_many_there_are(cast: Cast) -> None:
    web = client(cast.operator)
    web.get("/runs/?q=x")
    counts = []
    for number in range(2):
        saved_views.save(cast.operator, "runs", f"view {number}", "q=a", shared=True)
        with CaptureQueriesContext(connection) as queries:
            web.get("/runs/?q=x")
        counts.append(len(queries))
    assert counts[0] == counts[1]
