"""Entries and publishing in short forms, for the tests of the registry's services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User

from engine.entry import Entry
from wippy_console.management.operations import operator
from wippy_console.models import Version
from wippy_console.permissions import AUTHOR
from wippy_console.services import registry
from wippy_console.services.registry import Changes

SHOP = Path(__file__).parents[1] / "data" / "shop"


def function(name: str, source: str = "return {}", **data: Any) -> Entry:
    """A function of the namespace app."""
    return Entry(f"app:{name}", "function.lua", {}, {"source": source, **data})


def library(name: str, source: str = "return {}", **data: Any) -> Entry:
    """A library of the namespace app."""
    return Entry(f"app:{name}", "library.lua", {}, {"source": source, **data})


def create(*entries: Entry, user: User | None = None, base: int | None = None) -> Version:
    """Publish new entries."""
    return registry.publish(user or operator(), Changes(create=entries), base=base, message="create", source="apply")


def update(*entries: Entry, user: User | None = None, base: int | None = None) -> Version:
    """Publish changed entries."""
    return registry.publish(user or operator(), Changes(update=entries), base=base, message="update", source="editor")


def delete(*ids: str, user: User | None = None, base: int | None = None) -> Version:
    """Publish deletions."""
    return registry.publish(user or operator(), Changes(delete=ids), base=base, message="delete", source="editor")


def author(name: str) -> User:
    """A user in the group of authors."""
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=AUTHOR))
    return user
