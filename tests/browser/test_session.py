"""Coming in and going out."""

from __future__ import annotations

import re

from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from tests.browser.conftest import Enter


def test_log_in_leads_to_the_page_that_was_wanted(enter: Enter) -> None:
    page = enter("")
    page.goto("/runs/?status=failed")
    page.get_by_label("Username").fill("viewer")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/runs/?status=failed")
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()


def test_a_wrong_password_says_so_and_keeps_the_name(enter: Enter) -> None:
    page = enter("")
    page.goto("/login/")
    page.get_by_label("Username").fill("viewer")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")
    expect(page.get_by_label("Username")).to_have_value("viewer")


def test_log_out_ends_the_session_and_every_socket(enter: Enter) -> None:
    page = enter("viewer")
    other = page.context.new_page()
    other.goto("/runs/")
    expect(other.locator("#connection")).to_have_text("Live")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login/")
    expect(other.get_by_text("Your session has ended")).to_be_visible()
    page.goto("/runs/")
    assert "/login/" in page.url


def test_a_stranger_is_told_why_there_is_nothing_to_see(enter: Enter) -> None:
    page = enter("stranger")
    expect(page.get_by_text("Your account has no rights yet")).to_be_visible()
    for address in ("/runs/", "/inbox/", "/live/", "/registry/", "/processes/"):
        response = page.goto(address)
        assert response
        assert response.status == 403
        expect(page.get_by_role("heading", name="You may not do that")).to_be_visible()


def test_an_expired_session_leads_the_whole_page_to_log_in_not_a_part_of_it(enter: Enter) -> None:
    page = enter("viewer")
    page.goto("/registry/")
    Session.objects.all().delete()
    page.get_by_label("Search entries").fill("orders")
    page.wait_for_url("**/login/?next=%2Fregistry%2F**")
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    expect(page.get_by_role("heading", name="Wippy Console")).to_be_visible()
    assert not re.search("id=.registry", page.content())
