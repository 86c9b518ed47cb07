"""The pages of notifications: preferences, notices of open pages, the outbox."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.console.notifying import Mailbox, ask, reachable, wishes
from wippy_console.models import AuditRow, Notification, NotificationPreference
from wippy_console.services import notifications
from wippy_console.services.notifications import delivery, preferences, shown

pytestmark = pytest.mark.django_db


def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def test_each_user_chooses_and_sees_the_secret_once(client: Client) -> None:
    ann = reachable("ann")
    signed_in(client, ann)
    form = {"asked": ["email", "browser"], "failed": ["never"], "webhook": "https://example.org/in", "chat": ""}
    answer = client.post("/preferences/notifications/", form)
    known = NotificationPreference.objects.get(user=ann)
    assert answer.status_code == 200 and known.secret and known.secret in answer.content.decode()
    assert known.chosen["asked"] == ["email", "browser"] and known.chosen["muted"] == ["failed"]
    again = client.get("/preferences/notifications/").content.decode()
    assert known.secret not in again and 'value="https://example.org/in"' in again
    assert client.post("/preferences/notifications/", form).status_code == 302
    client.post("/preferences/notifications/secret/")
    assert NotificationPreference.objects.get(user=ann).secret not in ("", known.secret)


def test_a_refused_address_stands_on_the_form_with_what_was_chosen(client: Client) -> None:
    signed_in(client, reachable("ann"))
    answer = client.post("/preferences/notifications/", {"asked": ["email"], "chat": "exec://ls"})
    text = answer.content.decode()
    assert answer.status_code == 422 and "exec://ls" in text and "no address of a chat service" in text
    assert not NotificationPreference.objects.exists()


def test_a_test_reaches_the_own_addresses(client: Client, mailbox: Mailbox) -> None:
    signed_in(client, reachable("ann"))
    client.post("/preferences/notifications/test/")
    delivery.send_due("email")
    assert [mail["Subject"] for mail in mailbox.mails] == ["A test of Wippy Console"]


def test_an_open_page_shows_each_notice_once(client: Client) -> None:
    ann = reachable("ann", "operator")
    wishes(ann, "browser")
    wishes(reachable("olga", "operator"), "browser")
    made = ask()
    notifications.tell("asked", question=made, fact="f")
    signed_in(client, ann)
    (notice,) = client.post("/notifications/new/").json()["notices"]
    assert notice["title"] == "Pay 7 €? (app:flow)" and notice["url"] == f"/inbox/{made.pk}/"
    assert client.post("/notifications/new/").json() == {"notices": []}
    assert {row.user.username: row.state for row in Notification.objects.select_related("user") if row.user} == {
        "ann": "sent",
        "olga": "queued",
    }


def test_of_many_notices_the_newest_are_shown_by_as_many_queries_as_of_few() -> None:
    def queries() -> tuple[list[str], int]:
        with CaptureQueriesContext(connection) as seen:
            found = shown.take(User.objects.get(pk=ann.pk))
        return [notice["id"] for notice in found], len(seen)

    ann, made = reachable("ann", "operator"), ask()
    wishes(ann, "browser")
    told: list[tuple[list[str], int]] = []
    for count in (5, 40):
        for number in range(count):
            notifications.tell("asked", question=made, fact=f"{count} {number}")
        newest = Notification.objects.order_by("-created_at").values_list("pk", flat=True)[:5]
        told.append(queries())
        assert told[-1][0] == [str(each) for each in newest]
        assert not Notification.objects.filter(state="queued").exists()
    assert told[0][1] == told[1][1]


def test_a_notice_that_no_page_showed_is_forgotten_after_an_hour() -> None:
    wishes(reachable("ann", "operator"), "browser")
    notifications.tell("asked", question=ask(), fact="f")
    notifications.deliver()
    assert Notification.objects.get().state == "queued"
    Notification.objects.update(next_at=timezone.now() - timedelta(hours=2))
    notifications.deliver()
    assert Notification.objects.get().state == "dead"


def test_only_administrators_see_the_outbox_masked_and_send_again(client: Client) -> None:
    wishes(reachable("ann", "operator"), "email")
    notifications.tell("asked", question=ask(), fact="f")
    Notification.objects.update(state="dead", error="451 not now", attempts=6)
    row = Notification.objects.get()
    again = f"/notifications/{row.pk}/resend/"
    for name in ("viewer", "operator", "author"):
        signed_in(client, reachable(name, name))
        assert client.get("/notifications/").status_code == 403
        assert client.post(again).status_code == client.post("/notifications/resend/?state=dead").status_code == 403
    signed_in(client, reachable("adam", "administrator"))
    text = client.get("/notifications/?state=dead").content.decode()
    assert "451 not now" in text and "a…@example.org" in text and "ann@example.org" not in text
    assert client.post(again).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("queued", 0, "")
    assert client.post(again).status_code == 409
    assert client.post("/notifications/resend/?state=dead").status_code == 422
    Notification.objects.update(state="dead")
    assert client.post("/notifications/resend/?state=dead").status_code == 302
    assert Notification.objects.get().state == "queued"
    assert AuditRow.objects.filter(action="resend").count() == 2


def test_the_outbox_has_pages_that_go_by_key_and_filters(client: Client) -> None:
    wishes(reachable("ann", "operator"), "email")
    for number in range(60):
        notifications.tell("assigned", question=None, users=[], fact=str(number))
    now = timezone.now()
    Notification.objects.bulk_create(
        Notification(kind="asked", fact=str(each), method="email", address=f"{each}@example.org", next_at=now)
        for each in range(60)
    )
    signed_in(client, User.objects.create_superuser("root"))
    first = client.get("/notifications/")
    second = client.get(f"/notifications/?before={first.context['page'].older}")
    ids = [row.pk for answer in (first, second) for row in answer.context["page"].rows]
    assert len(ids) == len(set(ids)) == 60 and not second.context["page"].older
    for odd in ("state=x", "method=x", "kind=x", "before=x"):
        assert client.get(f"/notifications/?{odd}").status_code == 422
    assert not client.get("/notifications/?method=chat").context["page"].rows


def test_the_admin_shows_no_address_and_no_secret(client: Client) -> None:
    ann = reachable("ann", "operator")
    preferences.save(ann, {"asked": ["email"]}, [], webhook_address="https://example.org/token")
    notifications.tell("asked", question=ask(), fact="f")
    secret = NotificationPreference.objects.get().secret
    signed_in(client, User.objects.create_superuser("root"))
    for page in (
        "notification/", f"notification/{Notification.objects.get().pk}/change/",
        "notificationpreference/", f"notificationpreference/{ann.pk}/change/",
    ):  # fmt: skip
        answer = client.get(f"/admin/wippy_console/{page}")
        text = answer.content.decode()
        assert answer.status_code == 200
        assert not any(each in text for each in ("ann@example.org", "example.org/token", secret))
