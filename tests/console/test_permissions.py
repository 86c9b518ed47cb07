"""The four groups, and the one check that services call."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.core.management import call_command

from tests.console.operating import Cast
from wippy_console import permissions
from wippy_console.permissions import (
    CANCEL_RUN,
    PUBLISH_VERSION,
    RAW_SIGNAL_RUN,
    SIGNAL_RUN,
    START_RUN,
    TERMINATE_RUN,
    VIEW_DECISION,
    VIEW_FEED,
    VIEW_FLEET,
    VIEW_QUESTION,
    VIEW_REGISTRY,
    VIEW_RUN,
)

SEE = {VIEW_RUN, VIEW_FEED, VIEW_QUESTION, VIEW_DECISION, VIEW_REGISTRY, VIEW_FLEET}
OPERATE = SEE | {START_RUN, SIGNAL_RUN, CANCEL_RUN}
WRITE = OPERATE | {RAW_SIGNAL_RUN, TERMINATE_RUN, PUBLISH_VERSION}
MATRIX = {
    "viewer": SEE,
    "operator": OPERATE,
    "approver": OPERATE,
    "author": WRITE,
    "administrator": WRITE,
    "root": WRITE,
    "stranger": set(),
}


@pytest.mark.parametrize("who", MATRIX)
@pytest.mark.parametrize("permission", sorted(WRITE))
def test_each_role_holds_its_permissions_and_no_others(cast: Cast, who: str, permission: str) -> None:
    user = User.objects.get(username=who)
    assert permissions.allows(user, permission) == (permission in MATRIX[who])
    if permission not in MATRIX[who]:
        with pytest.raises(PermissionDenied, match="You may not"):
            permissions.require(user, permission)


@pytest.mark.django_db
def test_a_fresh_database_has_the_groups_by_migration() -> None:
    """No fixture made them here."""
    names = set(Group.objects.values_list("name", flat=True))
    assert {"viewer", "operator", "author", "administrator"} <= names
    assert Group.objects.get(name="operator").permissions.filter(codename="signal_run").exists()
    assert Group.objects.get(name="administrator").permissions.filter(codename="add_user").exists()


@pytest.mark.django_db
def test_making_the_groups_again_changes_nothing_and_takes_nothing_away() -> None:
    extra = Permission.objects.get(codename="terminate_run")
    Group.objects.get(name="viewer").permissions.add(extra)
    before = {group.name: set(group.permissions.values_list("pk", flat=True)) for group in Group.objects.all()}
    permissions.install_groups(Group, Permission)
    assert before == {group.name: set(group.permissions.values_list("pk", flat=True)) for group in Group.objects.all()}


@pytest.mark.django_db
def test_every_model_is_known_to_the_groups() -> None:
    from django.apps import apps

    models = {model._meta.model_name for model in apps.get_app_config("wippy_console").get_models()}
    assert models == set(permissions.MODELS)


def test_who_is_not_signed_in_or_not_active_may_nothing(cast: Cast) -> None:
    User.objects.filter(pk=cast.root.pk).update(is_active=False)
    assert not permissions.allows(AnonymousUser(), VIEW_RUN)
    assert not permissions.allows(User.objects.get(pk=cast.root.pk), VIEW_RUN)
    assert not permissions.in_role(User.objects.get(pk=cast.root.pk), "approvers")
    assert not permissions.in_role(AnonymousUser(), "approvers")


def test_roles_are_django_groups_and_superusers_are_in_all(cast: Cast) -> None:
    assert permissions.in_role(cast.approver, "approvers")
    assert not permissions.in_role(cast.operator, "approvers")
    assert permissions.in_role(cast.root, "no such group")
    assert permissions.in_role(cast.operator, "")


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
