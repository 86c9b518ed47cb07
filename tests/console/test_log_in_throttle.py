"""Guessing passwords: who fails too often waits, on whichever page it is tried; nobody waits for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.console.operating import Cast
from wippy_console.models import AuditRow, FailedLogin
from wippy_console.services import log_ins

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def attempt(name: str, password: str = "wrong", address: str = HERE, **headers: Any) -> Any:
    return Client(headers=headers).post("/login/", {"username": name, "password": password}, REMOTE_ADDR=address)


def guess(name: str, times: int = log_ins.MOST, **sender: Any) -> Any:
    answers = [attempt(name, **sender) for _ in range(times)]
    return answers[-1]


def said(answer: HttpResponse) -> list[str]:
    return answer.context["form"].non_field_errors()  # type: ignore[attr-defined,no-any-return]


def test_the_fifth_wrong_password_locks_and_says_for_how_long(cast: Cast) -> None:
    before = guess("author", log_ins.MOST - 1)
    assert before.status_code == 200 and "correct username and password" in said(before)[0]
    for answer in (attempt("author"), attempt("author", "secret")):
        assert (answer.status_code, answer["Retry-After"]) == (429, "900")
        assert said(answer) == [log_ins.LOCKED] and "15 minutes" in log_ins.LOCKED
        assert "_auth_user_id" not in answer.wsgi_request.session
    assert attempt("operator", "secret").status_code == 302, "others go on from there"
    assert attempt("author", "secret", ELSEWHERE).status_code == 302, "and its person from elsewhere"


def test_nothing_tells_which_names_there_are(cast: Cast) -> None:
    User.objects.create_user("gone", password="secret", is_active=False)
    answers = {name: [attempt(name) for _ in range(log_ins.MOST + 1)] for name in ("author", "nobody", "gone")}
    told = {name: [(each.status_code, *said(each)) for each in all_of] for name, all_of in answers.items()}
    assert told["author"] == told["nobody"] == told["gone"]


def test_one_password_tried_on_everybody_locks_the_address(cast: Cast) -> None:
    for number in range(log_ins.MOST_OF_ADDRESS):
        attempt(f"name{number}")
    assert attempt("author", "secret").status_code == 429
    assert attempt("author", "secret", ELSEWHERE).status_code == 302
    assert log_ins.lock(FailedLogin.objects.get(username="name7")) == log_ins.EVERY_NAME
    assert log_ins.lift(cast.administrator, FailedLogin.objects.filter(username="name7")) == 1
    assert attempt("author", "secret").status_code == 302


def test_other_browsers_and_other_addresses_of_one_network_count_together(cast: Cast) -> None:
    for number in range(log_ins.MOST):
        attempt("author", address=f"2001:db8::{number}:1", user_agent=f"Browser {number}")
    assert attempt("author", "secret", "2001:db8::ffff:2").status_code == 429
    assert attempt("author", "secret", "2001:db8:0:1::1").status_code == 302


def test_success_forgets_its_own_failures_alone(cast: Cast) -> None:
    guess("author", log_ins.MOST - 1)
    guess("operator", log_ins.MOST - 1)
    assert attempt("operator", "secret").status_code == 302
    assert attempt("operator").status_code == 200
    assert attempt("author").status_code == 429


def test_guessing_on_does_not_prolong_the_lock_and_it_ends_by_itself(cast: Cast) -> None:
    """So that nobody keeps the first administrator out for ever."""
    guess("administrator")
    locked = FailedLogin.objects.get(username="administrator")
    guess("administrator", 3)
    again = FailedLogin.objects.get(username="administrator")
    assert (again.attempt_time, again.failures_since_start) == (locked.attempt_time, log_ins.MOST)
    AccessAttempt.objects.update(attempt_time=locked.attempt_time - log_ins.WAIT - timedelta(seconds=1))
    assert attempt("administrator", "secret").status_code == 302


def test_the_command_line_lifts_the_lock_of_who_is_locked_out(cast: Cast) -> None:
    guess("author")
    call_command("axes_reset_username", "author")
    assert attempt("author", "secret").status_code == 302


def test_behind_a_proxy_its_word_counts_and_no_forged_one(cast: Cast, settings: Any) -> None:
    settings.SECURE = True
    for number in range(log_ins.MOST):
        attempt("author", address="10.0.0.1", x_forwarded_for=f"203.0.113.{number}, {HERE}")
    assert attempt("author", "secret", "10.0.0.1", x_forwarded_for=HERE).status_code == 429
    assert attempt("author", "secret", "10.0.0.1", x_forwarded_for=ELSEWHERE).status_code == 302
    settings.SECURE = False
    assert attempt("author", "secret", "10.0.0.1", x_forwarded_for=HERE).status_code == 302


@pytest.mark.parametrize("address", ["", "unix:", "1.2.3.4:99", "fe80::1%eth0"])
def test_an_odd_address_is_one_too(cast: Cast, address: str) -> None:
    assert guess("author", address=address).status_code == 429
    assert attempt("author", "secret", address).status_code == 429
    assert attempt("author", "secret", HERE).status_code == 302


def test_the_admin_has_no_other_way_in(cast: Cast) -> None:
    guess("author")
    form = {"username": "author", "password": "secret"}
    page = Client().post("/admin/login/", form, REMOTE_ADDR=HERE, follow=True)
    assert page.redirect_chain[-1][0].startswith("/login/") and not page.context["user"].is_authenticated


def test_what_the_form_carries_is_carried_on_and_kept_nowhere(cast: Cast) -> None:
    sent = {"username": "author", "password": "wrong", "next": "/runs/", "typed": '[["a","private words"]]'}
    sent["typed_by"] = str(cast.author.pk)
    pages = [Client().post("/login/", sent, REMOTE_ADDR=HERE) for _ in range(log_ins.MOST)]
    assert pages[-1].status_code == 429
    kept = str(AccessAttempt.objects.values())
    assert "private words" not in kept and "wrong" not in kept


def test_an_administrator_sees_a_lock_and_lifts_it(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    guess("author")
    guess("operator", 1)
    assert caplog.text.count("locked for now") == 1 and "'author' from 192.0.2.1" in caplog.text
    admin = Client()
    admin.force_login(cast.administrator)
    address = reverse("admin:wippy_console_failedlogin_changelist")
    page = admin.get(address).content.decode()
    assert page.count("this name from this address") == 1 and "operator" in page
    assert "operator" not in admin.get(address, {"q": "auth"}).content.decode().partition('id="changelist"')[2]
    assert "author" in admin.get(address, {"q": "192.0"}).content.decode()
    row = FailedLogin.objects.get(username="author")
    assert admin.get(f"{address}{row.pk}/change/").status_code == 200
    answer = admin.post(address, {"action": "lift", "_selected_action": [row.pk]}, follow=True)
    assert "the next log-in is tried" in answer.content.decode()
    assert attempt("author", "secret").status_code == 302
    told = AuditRow.objects.get(action="unlock")
    assert (told.label, told.data) == ("author", {"address": HERE, "failed": log_ins.MOST})


def test_nobody_else_sees_failed_log_ins(cast: Cast) -> None:
    guess("author")
    client = Client()
    client.force_login(cast.author)
    assert client.get(reverse("admin:wippy_console_failedlogin_changelist")).status_code == 403


def test_code_that_asks_without_a_request_is_nobody_who_guesses(cast: Cast) -> None:
    for _ in range(log_ins.MOST + 1):
        assert authenticate(username="author", password="wrong") is None
    assert authenticate(username="author", password="secret") == cast.author
    assert Client().login(username="author", password="secret")
