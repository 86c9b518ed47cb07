"""Rights by namespace on sockets, on the page that explains them, and where they are edited."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from tests.console.departments import (
    IDS,
    THEIRS,
    Room,
    refuse_secrets,
)
from wippy_console import permissions
from wippy_console.live.consumer import FeedRequest, read_table
from wippy_console.live.session import verdicts
from wippy_console.models import (
    AuditRow,
    Grant,
)
from wippy_console.permissions import Scope
from wippy_console.services import (
    feed,
)

pytestmark = pytest.mark.django_db


# -- sockets ---------------------------------------------------------------------------------------


def seen_by(client: Client) -> Any:
    return verdicts([str(client.session.session_key)])[str(client.session.session_key)]


def test_a_socket_gets_rows_of_ones_own_without_relatives(browser: Client, rooms: dict[str, Room]) -> None:
    feed.append(feed.NODE, node="n1", data={"state": "up"})
    feed.append(feed.PUBLISHED, data={"created": ["vault:new"]})
    seen = seen_by(browser).seen
    frames, cursor = read_table(0, FeedRequest(0, "", (), ""), seen)
    assert [each.kind for each in frames] == ["PUBLISHED"] * 2 + [
        "STARTED",
        "SIGNAL",
        "EXIT",
        "NODE",
        "PUBLISHED",
    ] and cursor == feed.head()
    for each in frames:
        refuse_secrets(each.text_for(seen), each.kind)
    assert "vault-flow" in next(each for each in frames if each.kind == "EXIT").text
    assert not read_table(0, FeedRequest(0, IDS[THEIRS], (), ""), seen)[0]


def test_a_socket_learns_of_changed_grants(browser: Client, clerk: User) -> None:
    assert seen_by(browser).seen.runs == Scope(("shop.*",))
    Grant.objects.update(pattern="lab")
    assert seen_by(browser).seen.runs == Scope(("lab",))
    Grant.objects.update(rights=["view_run"])
    assert seen_by(browser).code == 4403


# -- the page of rights ----------------------------------------------------------------------------


def test_the_page_of_rights_says_where_and_why(browser: Client, clerk: User) -> None:
    text = browser.get(f"/people/{clerk.pk}/rights/").content.decode()
    assert "Your rights" in text and "Group clerks" in text and "shop.*" in text
    other = User.objects.get(username="someone")
    assert browser.get(f"/people/{other.pk}/rights/").status_code == 404
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    text = client.get(f"/people/{clerk.pk}/rights/").content.decode()
    assert "Rights of clerk" in text and "Not given" in text


def test_grants_are_edited_in_the_admin_and_told_to_the_audit(rooms: dict[str, Room], clerk: User) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    group, address = Group.objects.get(name="clerks"), "/admin/wippy_console/grant/add/"
    bad = client.post(address, {"group": group.pk, "pattern": "shop*", "rights": []})
    assert bad.status_code == 200 and "is no pattern" in bad.content.decode()
    good = client.post(address, {"group": group.pk, "pattern": "lab.*", "rights": ["view_run"]})
    assert good.status_code == 302
    assert permissions.scope(User.objects.get(pk=clerk.pk), permissions.VIEW_RUN) == Scope(("lab.*", "shop.*"))
    row = AuditRow.objects.get(action="grant")
    assert row.data["grants"] == {"lab.*": ["view_run"], "shop.*": []}
