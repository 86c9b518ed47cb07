"""The pages of access tokens and of service accounts."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from tests.console.operating import Cast
from wippy_console.models import AccessToken, AuditRow, Draft
from wippy_console.services import access_tokens, accounts, service_accounts
from wippy_console.services.access_tokens import Limits

pytestmark = pytest.mark.django_db

LIST, NEW = "/preferences/tokens/", "/preferences/tokens/new/"
SECRET = re.compile(r"wippy_[\w-]{43}")
FORM = {"name": "shop", "extent": "all", "per_minute": "600", "expires": "90"}


def entered(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def made(client: Client, **fields: Any) -> str:
    answer = client.post(NEW, {**FORM, **fields})
    assert answer.status_code == 200, answer.content.decode()
    return str(SECRET.findall(answer.content.decode())[0])


def test_a_token_is_made_and_shown_by_one_answer_alone(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    client = entered(cast.operator)
    with caplog.at_level(logging.DEBUG):
        answer = client.post(
            NEW, {**FORM, "extent": "some", "rights": ["view_run", "start_run"], "namespaces": "shop, shop.*"}
        )
        text = SECRET.findall(answer.content.decode())[0]
        listed = client.get(LIST).content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert text not in listed and text[:12] in listed
    assert "See runs; start runs, processes and services" in listed and ">shop.*</span>" in listed
    assert text not in client.get(NEW).content.decode()
    assert text not in caplog.text and not Draft.objects.exists()
    kept: list[Any] = [*AccessToken.objects.values_list(), *AuditRow.objects.values_list()]
    kept += [each.get_decoded() for each in Session.objects.all()]
    assert text not in str(kept) and text[6:] not in str(kept)
    token = AccessToken.objects.get()
    assert (token.owner, token.rights, token.namespaces) == (
        cast.operator,
        ["view_run", "start_run"],
        ["shop", "shop.*"],
    )
    assert token.expires_at is not None
    assert timedelta(days=89) < token.expires_at - timezone.now() <= timedelta(days=90)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "taken"}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"extent": ""}, "extent"),
        ({"extent": "some"}, "rights"),
        ({"extent": "some", "rights": ["publish_version"]}, "rights"),
        ({"namespaces": "sh op..x"}, "namespaces"),
        ({"addresses": "10.0.0.0/8, here"}, "addresses"),
        ({"per_minute": "0"}, "per_minute"),
        ({"per_minute": "9" * 30}, "per_minute"),
        ({"expires": "5"}, "expires"),
        ({"expires": "day"}, "until"),
        ({"expires": "day", "until": "2020-01-01"}, "until"),
        ({"expires": "day", "until": "9999-12-31"}, "until"),
        ({"expires": "day", "until": "x"}, "until"),
        ({"owner": "1000000"}, "owner"),
    ],
)  # fmt: skip
def test_what_is_refused_stands_at_its_field_and_nothing_typed_is_lost(
    cast: Cast, fields: dict[str, Any], name: str
) -> None:
    access_tokens.make(cast.operator, cast.operator, "taken", Limits())
    client = entered(cast.operator)
    answer = client.post(NEW, {**FORM, "addresses": "10.9.8.7", **fields})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [name]
    text = answer.content.decode()
    assert answer.context["form"].errors[name][0] in text.replace("&#x27;", "'")
    assert fields.get("addresses", "10.9.8.7") in text
    assert AccessToken.objects.count() == 1


def test_a_form_that_is_sent_twice_makes_one_token(cast: Cast) -> None:
    client = entered(cast.operator)
    made(client)
    again = client.post(NEW, FORM)
    assert again.status_code == 422 and "revoke it first" in again.content.decode()
    client.post(f"{LIST}{AccessToken.objects.get().pk}/revoke/")
    made(client)
    assert AccessToken.objects.count() == 2


def test_a_last_day_ends_in_the_zone_of_whoever_chose_it(cast: Cast) -> None:
    client = entered(cast.operator)
    client.cookies["zone"] = "Asia/Tokyo"
    day = (timezone.now() + timedelta(days=5)).date()
    made(client, expires="day", until=day.isoformat())
    wanted = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
    assert AccessToken.objects.get().expires_at == wanted


def test_people_see_and_revoke_their_own(cast: Cast) -> None:
    mine, _ = access_tokens.make(cast.operator, cast.operator, "mine", Limits())
    other, _ = access_tokens.make(cast.author, cast.author, "theirs", Limits())
    client = entered(cast.operator)
    text = client.get(LIST).content.decode()
    assert ">mine<" in text and ">theirs<" not in text
    assert client.get(f"{LIST}{other.pk}/revoke/").status_code == 404
    assert client.post(f"{LIST}{other.pk}/revoke/").status_code == 404
    assert "Revoke mine?" in client.get(f"{LIST}{mine.pk}/revoke/").content.decode()
    assert client.post(f"{LIST}{mine.pk}/revoke/", follow=True).status_code == 200
    over = client.get(f"{LIST}?state=over").content.decode()
    assert ">mine<" in over and "Revoked" in over
    assert client.post(f"{LIST}{mine.pk}/revoke/").status_code == 302
    assert [row.outcome for row in AuditRow.objects.filter(action="token", user="operator")] == ["made", "revoked"]


def test_administrators_see_and_revoke_everybodys(cast: Cast) -> None:
    token, _ = access_tokens.make(cast.operator, cast.operator, "theirs", Limits())
    client = entered(cast.administrator)
    assert "of operator" in client.get(LIST).content.decode()
    assert ">theirs<" not in client.get(f"{LIST}?owner=author").content.decode()
    assert client.post(f"{LIST}{token.pk}/revoke/").status_code == 302
    token.refresh_from_db()
    assert token.state == "revoked"


def test_a_token_of_an_account_that_is_not_active_says_so(cast: Cast) -> None:
    access_tokens.make(cast.operator, cast.operator, "theirs", Limits())
    User.objects.filter(pk=cast.operator.pk).update(is_active=False)
    assert "Account not active" in entered(cast.administrator).get(LIST).content.decode()


def test_a_long_list_goes_on_by_pages(cast: Cast) -> None:
    for number in range(60):
        access_tokens.make(cast.operator, cast.operator, f"n{number}", Limits())
    client = entered(cast.operator)
    first = client.get(LIST)
    second = client.get(f"{LIST}?before={first.context['page'].older}")
    names = [row.name for answer in (first, second) for row in answer.context["rows"]]
    assert len(set(names)) == 60 and not second.context["page"].older
    for odd in ("state=x", "before=x", "before=0", f"before={10**30}"):
        assert client.get(f"{LIST}?{odd}").status_code == 422


def test_rights_that_one_lacks_are_not_offered(cast: Cast) -> None:
    text = entered(cast.viewer).get(NEW).content.decode()
    assert 'value="view_run"' in text and 'value="terminate_run"' not in text
    assert "You have no rights" in entered(cast.stranger).get(NEW).content.decode()


def test_people_find_their_tokens(cast: Cast) -> None:
    client = entered(cast.viewer)
    assert f'href="{LIST}"' in client.get("/").content.decode()
    assert f'href="{LIST}"' in client.get("/palette/?q=token").content.decode()
    assert "Service accounts" not in client.get("/palette/?q=service").content.decode()
    assert Client().get(LIST).status_code == 302


def test_administrators_make_service_accounts_and_tokens_for_them(cast: Cast) -> None:
    client = entered(cast.administrator)
    refused = client.post("/people/services/new/", {"name": "a b", "groups": ["viewer"]})
    assert refused.status_code == 422 and list(refused.context["form"].errors) == ["name"]
    assert client.post("/people/services/new/", {"name": "shop", "groups": ["viewer"]}).status_code == 302
    again = client.post("/people/services/new/", {"name": "shop"})
    assert again.status_code == 422 and "already" in again.content.decode()
    account = User.objects.get(username="service:shop")
    assert not account.has_usable_password()
    made(client, owner=str(account.pk), extent="some", rights=["view_run"])
    assert AccessToken.objects.get().owner == account
    assert ">shop<" in client.get("/people/services/").content.decode()
    page = f"/people/services/{account.pk}/"
    assert client.post(page, {"groups": ["operator"]}).status_code == 302
    account.refresh_from_db()
    assert not account.is_active and [group.name for group in account.groups.all()] == ["operator"]
    assert "Account not active" in client.get(LIST).content.decode()
    rows = AuditRow.objects.filter(action="grant", label="service:shop").order_by("id")
    assert [row.data["active"] for row in rows] == [True, False]


def test_nobody_else_makes_or_sees_service_accounts(cast: Cast) -> None:
    account = accounts.service("shop")
    for user in (cast.viewer, cast.operator, cast.author):
        client = entered(user)
        for page in ("", "new/", f"{account.pk}/"):
            assert client.get(f"/people/services/{page}").status_code == 403
            assert client.post(f"/people/services/{page}", {"name": "x"}).status_code == 403
        assert client.post(NEW, {**FORM, "owner": str(account.pk)}).status_code == 422
    assert entered(cast.administrator).get(f"/people/services/{cast.viewer.pk}/").status_code == 404


def test_no_one_hands_out_more_than_they_may_give(cast: Cast) -> None:
    for name in ("add_user", "add_accesstoken"):
        cast.operator.user_permissions.add(Permission.objects.get(codename=name))
    account = accounts.service("mighty")
    account.groups.set([Group.objects.get(name="administrator")])
    client = entered(cast.operator)
    assert client.post("/people/services/new/", {"name": "own", "groups": ["operator"]}).status_code == 302
    refused = client.post("/people/services/new/", {"name": "more", "groups": ["administrator"]})
    assert refused.status_code == 422 and list(refused.context["form"].errors) == ["groups"]
    assert client.post(NEW, {**FORM, "owner": str(account.pk)}).status_code == 422
    user = User.objects.get(pk=cast.operator.pk)
    assert [each.get_username() for each in access_tokens.owners(user)] == ["operator", "service:own"]
    assert not service_accounts.may_hand_out(user, account)


def test_the_audit_names_the_token_by_which_something_was_done(cast: Cast) -> None:
    token, text = access_tokens.make(cast.operator, cast.operator, "nightly", Limits())
    found = access_tokens.bearer(text, "10.0.0.1")
    assert found is not None
    access_tokens.revoke(found.owner, token.pk)
    page = entered(cast.administrator).get("/audit/?action=token").content.decode()
    assert "Made or revoked a token" in page and f"by the token {token}" in page


def test_the_admin_leads_to_the_form_and_revokes_after_a_question(cast: Cast) -> None:
    token, _ = access_tokens.make(cast.operator, cast.operator, "theirs", Limits())
    client = entered(cast.administrator)
    page = "/admin/wippy_console/accesstoken/"
    text = client.get(page).content.decode()
    assert f'href="{NEW}"' in text and ">Active" in text and token.digest not in text
    chosen = {"_selected_action": [token.pk], "action": "revoke"}
    asked = client.post(page, chosen).content.decode()
    assert "Revoke 1 token?" in asked and ">theirs<" in asked
    token.refresh_from_db()
    assert token.state == "active"
    assert "1 counts no more" in client.post(page, {**chosen, "confirmed": "yes"}, follow=True).content.decode()
    token.refresh_from_db()
    assert token.state == "revoked"
    assert "revoked already" in client.post(page, chosen, follow=True).content.decode()
    assert token.digest not in client.get(f"{page}{token.pk}/change/").content.decode()


def test_a_token_that_is_deleted_with_its_account_or_alone_is_told_of(cast: Cast) -> None:
    first, _ = access_tokens.make(cast.operator, cast.operator, "first", Limits())
    access_tokens.make(cast.operator, cast.operator, "second", Limits())
    client = entered(cast.root)
    assert client.post(f"/admin/wippy_console/accesstoken/{first.pk}/delete/", {"post": "yes"}).status_code == 302
    assert AuditRow.objects.filter(user="root", action="token", outcome="revoked", label=str(first)).exists()
    assert client.post(f"/admin/auth/user/{cast.operator.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not AccessToken.objects.exists()
