"""The page of a person's rights: accessible in both themes, and fitting a phone."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User

from tests.browser.conftest import Enter
from tests.browser.scene import Scene
from tests.browser.visiting import violations
from wippy_console.models import Grant


@pytest.fixture(scope="module")
def clerk(scene: Scene) -> User:
    """In three groups, of which one is narrowed for all its rights, and one for some."""
    user = User.objects.create_user("clara", password="secret")
    for name, patterns, listed in (
        ("shop people", ["shop.*"], []),
        ("library readers", ["common", "common.lua.*"], ["view_version"]),
    ):
        group = Group.objects.create(name=name)
        group.permissions.set(Permission.objects.filter(group__name="operator"))
        for pattern in patterns:
            Grant.objects.create(group=group, pattern=pattern, rights=listed)
        user.groups.add(group)
    user.groups.add(Group.objects.get_or_create(name="approvers")[0])
    return user


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_of_rights_is_accessible_and_fits(enter: Enter, clerk: User, theme: Any, width: int) -> None:
    page = enter("root", width=width, color_scheme=theme, reduced_motion="reduce")
    page.goto(f"/people/{clerk.pk}/rights/", wait_until="networkidle")
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/rights-{theme}-{width}.png", full_page=True)
    assert page.get_by_role("heading", name="Rights of clara").is_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not violations(page)
