"""The pages of subscriptions, and their place on the home page and in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.console.operating import Cast
from tests.console.subscribing import fresh, subscribed, told
from wippy_console.models import AccessToken, Subscription
from wippy_console.services import access_tokens
from wippy_console.services.access_tokens import Limits

pytestmark = pytest.mark.django_db

LIST, NEW = "/preferences/subscriptions/", "/preferences/subscriptions/new/"
URL = "https://example.org/hook"
FORM = {"name": "shop", "url": URL, "begin": "now"}


def entered(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def token_of(user: User) -> str:
    return str(access_tokens.make(user, user, f"t{AccessToken.objects.count()}", Limits())[0].pk)


def test_it_is_made_and_its_secret_shown_by_one_answer_alone(cast: Cast) -> None:
    client, ids = entered(cast.operator), told(3)
    fields = {"token": token_of(cast.operator), "kinds": ["EXIT", "STUCK"], "namespaces": "shop, app.*"}
    answer = client.post(NEW, {**FORM, **fields, "begin": "after", "cursor": str(ids[0])})
    row = Subscription.objects.get()
    assert row.secret in answer.content.decode() and "no-store" in answer["Cache-Control"]
    assert (row.kinds, row.namespaces, row.cursor) == (["EXIT", "STUCK"], ["shop", "app.*"], ids[0])
    for address in (LIST, NEW, f"{LIST}{row.pk}/", f"{LIST}{row.pk}/edit/"):
        text = client.get(address).content.decode()
        assert row.secret not in text and "shop" in text
    assert client.post(NEW, {**FORM, **fields}).status_code == 422  # sent twice
    answer = client.post(f"{LIST}{row.pk}/secret/")
    assert fresh(row).secret in answer.content.decode() and fresh(row).secret != row.secret


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": ""}, "name"),
        ({"url": ""}, "url"),
        ({"url": "http://example.org"}, "url"),
        ({"token": ""}, "token"),
        ({"token": "0"}, "token"),
        ({"kinds": ["ODD"]}, "kinds"),
        ({"namespaces": "sh..op"}, "namespaces"),
        ({"begin": "after"}, "cursor"),
        ({"begin": "after", "cursor": "9" * 18}, "cursor"),
        ({"begin": "after", "cursor": "9" * 30}, "cursor"),
        ({"begin": "odd"}, "begin"),
    ],
)
def test_what_is_refused_stands_at_its_field_and_nothing_typed_is_lost(
    cast: Cast, fields: dict[str, Any], name: str
) -> None:
    client = entered(cast.operator)
    answer = client.post(NEW, {**FORM, "token": token_of(cast.operator), "entry": "app:typed", **fields})
    assert answer.status_code == 422 and list(answer.context["form"].errors) == [name]
    assert "app:typed" in answer.content.decode() and not Subscription.objects.exists()


def test_it_is_changed_paused_resumed_tested_sent_again_and_deleted(cast: Cast) -> None:
    row, ids = subscribed(cast.viewer, URL).row, told(3)
    client, here = entered(cast.viewer), f"{LIST}{row.pk}/"
    client.post(f"{here}edit/", {"name": "other", "url": URL, "kinds": ["EXIT"]})
    client.post(f"{here}pause/")
    assert (fresh(row).name, fresh(row).kinds, fresh(row).state) == ("other", ["EXIT"], "paused")
    client.post(f"{here}resume/")
    client.post(f"{here}test/")
    assert fresh(row).state == "active" and fresh(row).test_wanted_at
    assert client.post(f"{here}redeliver/", {"cursor": str(ids[-1] + 1)}).status_code == 422
    assert client.post(f"{here}redeliver/", {"cursor": str(ids[1])}).status_code == 302
    assert fresh(row).cursor == ids[1]
    assert client.get(f"{here}pause/").status_code == 405 and client.post(f"{here}odd/").status_code == 404
    assert client.post(f"{here}delete/", follow=True).status_code == 200 and not Subscription.objects.exists()
    assert client.get(here).status_code == 404


def test_the_page_says_why_it_is_not_sent(cast: Cast) -> None:
    row = subscribed(cast.viewer, URL).row
    client, here = entered(cast.viewer), f"{LIST}{row.pk}/"
    lost = {"first": 3, "last": 7, "at": "2026-01-01T00:00:00+00:00"}
    for fields, words in (
        ({"state": "failing", "tries": 2, "problem": "The receiver answered 500."}, "Try 2 failed"),
        ({"state": "paused", "problem": "Paused after 6 failures."}, "Paused itself"),
        ({"state": "active", "problem": "", "lost": lost}, "Events 3 to 7 were lost"),
        ({"test_problem": "The receiver answered 418.", "tested_at": row.created_at}, "answered 418"),
    ):
        Subscription.objects.filter(pk=row.pk).update(**fields)
        assert words in client.get(here).content.decode()
    AccessToken.objects.update(expires_at=row.created_at)
    assert "Its token counts no more" in client.get(here).content.decode()


def test_others_see_none_of_it_and_administrators_no_address(cast: Cast) -> None:
    row = subscribed(cast.viewer, URL).row
    for word in ("", "edit/", "redeliver/", "secret/", "delete/"):
        assert entered(cast.operator).get(f"{LIST}{row.pk}/{word}").status_code == 404
    client = entered(cast.administrator)
    for address in (LIST, f"{LIST}{row.pk}/", f"{LIST}{row.pk}/delete/", "/admin/wippy_console/subscription/"):
        text = client.get(address).content.decode()
        assert "https://example.org/…" in text and "/hook" not in text
    text = client.get(f"/admin/wippy_console/subscription/{row.pk}/change/").content.decode()
    assert row.secret not in text and "/hook" not in text
    assert client.post(f"{LIST}{row.pk}/secret/").status_code == 403
    assert client.get(f"{LIST}{row.pk}/edit/").status_code == 403
    assert client.get(f"{LIST}?owner=operator").context["rows"] == []


def test_home_tells_its_owner_of_one_that_paused_itself(cast: Cast) -> None:
    row = subscribed(cast.viewer, URL, name="Parcels").row
    Subscription.objects.filter(pk=row.pk).update(state="paused", problem="Paused after 6 failures.")
    for user, told_of in ((cast.viewer, True), (cast.operator, False), (cast.administrator, True)):
        assert ("Parcels" in entered(user).get("/health/").content.decode()) is told_of


def test_an_account_is_deleted_with_its_subscriptions(cast: Cast) -> None:
    row = subscribed(cast.viewer, URL).row
    client = entered(cast.root)
    page = client.post(f"/admin/auth/user/{cast.viewer.pk}/delete/", {"post": "yes"}, follow=True)
    assert page.status_code == 200 and not Subscription.objects.filter(pk=row.pk).exists()


def test_a_long_list_costs_no_query_per_row(cast: Cast, django_assert_max_num_queries: Any) -> None:
    for _ in range(30):
        subscribed(cast.viewer, URL)
    client = entered(cast.administrator)
    with django_assert_max_num_queries(12):
        assert len(client.get(LIST).context["rows"]) == 30
