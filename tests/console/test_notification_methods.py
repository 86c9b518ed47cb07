"""Notifications go out by e-mail, webhook and chat, whatever dies or refuses meanwhile, and to nobody else."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from apprise.manager_plugins import NotificationManager
from django.contrib.auth.models import User
from django.utils import timezone

from tests.console.notifying import Hook, Mailbox, ask, reachable, wishes
from tests.patience import PATIENCE
from wippy_console.models import Notification, NotificationPreference
from wippy_console.services import notifications, questions
from wippy_console.services.errors import Refused
from wippy_console.services.notifications import delivery, preferences
from wippy_console.services.notifications.methods import chat, guard, webhook
from wippy_console.services.notifications.methods.errors import NotSent

pytestmark = pytest.mark.django_db

TEAMS = f"workflows://example.org:443/{'a' * 32}/{'b' * 40}/"


def body(mail: Message, kind: str) -> str:
    return next(part for part in mail.walk() if part.get_content_type() == kind).get_content()  # type: ignore[attr-defined,no-any-return]


def test_a_mail_says_what_is_asked_until_when_and_leads_to_the_question(mailbox: Mailbox) -> None:
    ann = reachable("ann", "operator")
    NotificationPreference.objects.create(user=ann, chosen={"asked": ["email"], "zone": "Europe/Berlin"})
    made = ask()
    made.text, made.nearest_at = "Pay <b>7</b> €?", datetime(2026, 12, 1, 11, tzinfo=UTC)
    made.run.input = ["hidden input"]
    made.run.save()
    made.save()
    notifications.tell("asked", question=made, fact="f")
    assert delivery.send_due("email") == 1
    (mail,) = mailbox.mails
    row = Notification.objects.get()
    assert (row.state, row.attempts, row.error) == ("sent", 1, "") and row.sent_at
    assert mail["Message-ID"] == f"<{row.pk}@console.example.org>" and mail["To"] == "ann@example.org"
    assert mail["Subject"] == "Pay 7 €? (app:flow)"
    text, html = body(mail, "text/plain"), body(mail, "text/html")
    assert f"https://console.example.org/inbox/{made.pk}/" in text and "2026-12-01 12:00 Europe/Berlin" in text
    assert "Pay &lt;b&gt;7&lt;/b&gt; €?" in html and "hidden" not in text + html
    assert delivery.send_due("email") == 0


def test_a_mail_has_values_without_the_marks_that_keep_markdown_from_formatting_them(mailbox: Mailbox) -> None:
    wishes(reachable("ann", "operator"), "email")
    meta = {"question": {"text": "Pay {sum} to *{who}* (`{sum}`)?"}}
    made = ask()
    made.run.input = [{"sum": "7.50", "who": "a_b <c>"}]
    questions.word(made, questions.Asked((("decision", 0),), tuple(made.signals), meta["question"]), meta, made.run)
    made.save()
    assert "7\\.50" in made.text, "as Markdown needs it"
    notifications.tell("asked", question=made, fact="f")
    delivery.send_due("email")
    (mail,) = mailbox.mails
    text, html = body(mail, "text/plain"), body(mail, "text/html")
    assert "Pay 7.50 to *a_b <c>* (`7.50`)?" in text and "Pay 7.50 to *a_b &lt;c&gt;*" in html
    assert "\\" not in text + html


def test_what_a_killed_worker_left_is_sent_again_with_the_same_id(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes(reachable("ann", "operator"), "email")
    notifications.tell("asked", question=ask(), fact="f")
    row = delivery.take("email")
    assert row is not None and delivery.take("email") is None, "leased: nobody else takes it"
    delivery.send(row)  # and here the worker is killed
    assert Notification.objects.get().state == "queued"
    Notification.objects.update(next_at=timezone.now())  # the lease is over
    assert delivery.send_due("email") == 1
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"] and Notification.objects.get().state == "sent"


def test_a_server_that_refuses_is_tried_less_and_less_often_then_never(mailbox: Mailbox) -> None:
    wishes(reachable("ann", "operator"), "email")
    notifications.tell("asked", question=ask(), fact="f")
    mailbox.refusing = True
    for pause in (30, 120, 600, 3600, 21600):
        assert delivery.send_due("email") == 1
        row = Notification.objects.get()
        assert row.state == "queued" and "451" in row.error and "ann@" not in row.error
        assert abs((row.next_at - timezone.now()).total_seconds() - pause) < PATIENCE
        assert delivery.send_due("email") == 0
        Notification.objects.update(next_at=timezone.now())
    delivery.send_due("email")
    assert Notification.objects.get().state == "dead"


def test_without_a_mail_server_the_row_says_so(settings: Any) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", ""
    wishes(reachable("ann", "operator"), "email")
    notifications.tell("asked", question=ask(), fact="f")
    delivery.send_due("email")
    row = Notification.objects.get()
    assert row.state == "dead" and "EMAIL_HOST" in row.error


def test_who_lost_the_right_meanwhile_gets_nothing(mailbox: Mailbox) -> None:
    ann = reachable("ann", "operator")
    wishes(ann, "email")
    notifications.tell("asked", question=ask(), fact="f")
    ann.groups.clear()
    delivery.send_due("email")
    assert mailbox.mails == [] and Notification.objects.get().state == "dead"


@pytest.mark.django_db(transaction=True)
def test_the_leader_is_not_held_by_what_is_sent(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    wishes(reachable("ann", "operator"), "email")
    notifications.tell("asked", question=ask(), fact="f")
    held, sent = threading.Event(), threading.Event()
    real = delivery.send

    def slowly(row: Notification) -> None:
        assert held.wait(PATIENCE)
        real(row)

    monkeypatch.setattr(delivery, "send", slowly)
    ended = delivery._work

    def work(method: str) -> None:
        ended(method)
        sent.set()

    monkeypatch.setattr(delivery, "_work", work)
    notifications.deliver()
    assert not mailbox.mails
    held.set()
    assert sent.wait(PATIENCE) and len(mailbox.mails) == 1


def example() -> Any:
    """The function that docs/notifications.md shows."""
    text = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text()
    found: dict[str, Any] = {}
    exec(text.partition("```python\n")[2].partition("```")[0], found)
    return found["is_genuine"]


def hooked(user: User, hook: Hook) -> str:
    return preferences.save(user, {"asked": ["webhook"]}, [], webhook_address=f"http://{hook.place}/in?key=1")


def test_a_webhook_is_signed_as_the_documentation_checks_it(hook: Hook) -> None:
    ann = reachable("ann", "operator")
    secret = hooked(ann, hook)
    made = ask()
    made.run.input = ["hidden input"]
    made.run.save()
    notifications.tell("asked", question=made, fact="f")
    delivery.send_due("webhook")
    ((headers, body),) = hook.taken
    row = Notification.objects.get()
    assert row.state == "sent" and headers["Wippy-Id"] == str(row.pk)
    is_genuine = example()
    assert is_genuine(secret, headers, body)
    assert not is_genuine("another", headers, body) and not is_genuine(secret, headers, body + b" ")
    said = json.loads(body)
    assert (said["id"], said["kind"], said["question"]["id"]) == (str(row.pk), "asked", made.pk)
    assert said["url"].endswith(f"/inbox/{made.pk}/") and b"hidden" not in body


def test_redirects_are_not_followed_and_any_other_answer_is_tried_again(hook: Hook) -> None:
    hooked(reachable("ann", "operator"), hook)
    notifications.tell("asked", question=ask(), fact="f")
    hook.status = 307
    delivery.send_due("webhook")
    row = Notification.objects.get()
    assert (row.state, row.error) == ("queued", "The receiver answered 307.") and len(hook.taken) == 1
    hook.status = 200
    Notification.objects.update(next_at=timezone.now())
    delivery.send_due("webhook")
    assert [headers["Wippy-Id"] for headers, _ in hook.taken] == [str(row.pk)] * 2


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::a00:1]",
     "0.0.0.0",
     "[fe80::1]", "[fd00::1]", "[2002:7f00:1::]", "224.0.0.1", "2130706433", "0x7f.1"],
)  # fmt: skip
def test_nothing_is_sent_into_the_consoles_own_network(host: str, settings: Any) -> None:
    settings.NOTIFY_ALLOW = ()
    with pytest.raises(NotSent, match="own network"):
        webhook.send(f"https://{host}:9/x", "s", "id", {})


def test_an_address_that_changes_its_mind_is_looked_up_once(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked_for.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(asked_for) == 1 else "10.0.0.1", port))]

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    assert guard.resolved("rebinding.example", 80) == "127.0.0.1"
    assert asked_for == ["rebinding.example"]


@pytest.mark.parametrize(
    "url", ["ftp://example.org", "https://", "https://u:p@example.org/", "https://example.org/a b", "http://example.org/",
            "https://example.org:99999/", "example.org", "https://exämple.org/"],
)  # fmt: skip
def test_a_webhook_that_can_not_be_meant_is_refused_at_its_field(url: str) -> None:
    with pytest.raises(Refused) as refusal:
        preferences.save(reachable("ann"), {}, [], webhook_address=url)
    assert "webhook" in refusal.value.fields


def test_a_chat_is_told_by_apprise(hook: Hook) -> None:
    ann = reachable("ann", "operator")
    hook.status = 200
    preferences.save(ann, {"asked": ["chat"]}, [], chat_address=f"ntfy://{hook.place}/topic")
    notifications.tell("asked", question=ask(), fact="f")
    delivery.send_due("chat")
    assert Notification.objects.get().state == "sent"
    ((_, body),) = hook.taken
    assert "Pay 7" in body.decode()


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "exec://ls", "json://127.0.0.1/", "syslog://", "mailto://a:b@example.org", "dbus://",
     "apprise",
     "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?template=/etc/passwd", "slack://x", "ntfy://10.0.0.1/topic",
     "ntfys://example.org/t?verify=no", "ntfys://example.org/t?%76erify=no", "ntfys://example.org/t?retry=9",
     "ntfys://example.org/t?a=1;verify=no", "ntfys://example.org/t#?verify=no", "ntfys://example.org/t?a=1;+VERIFY=no",
     f"{TEAMS}?a=1;template=/etc/passwd", f"{TEAMS}#?template=http://127.0.0.1/", "ntf\nys://example.org/t",
     "x" * 2000,
     "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?redirect=yes"],
)  # fmt: skip
def test_a_chat_that_reaches_more_than_a_chat_is_refused_at_its_field(address: str) -> None:
    with pytest.raises(Refused) as refusal:
        preferences.save(reachable("ann"), {}, [], chat_address=address)
    assert "chat" in refusal.value.fields


def test_every_service_that_is_offered_is_one_that_can_be_sent_to() -> None:
    manager: Any = NotificationManager
    known = manager().schemas()
    assert [scheme for scheme in chat.SERVICES | chat.OWN_SERVERS if scheme not in known] == []


def test_a_chat_server_of_the_own_network_is_not_reached(settings: Any) -> None:
    settings.NOTIFY_ALLOW = ()
    with pytest.raises(NotSent, match="own network"):
        chat.send("ntfys://127.0.0.1:9/topic", "t", "b")
