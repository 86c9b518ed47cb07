"""Who may name Python code in the registry."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied

from engine.entry import Entry
from engine.registry.guarded import forbidden_to_lua
from tests.console.registry_cast import author, create, delete, update
from wippy_console.permissions import ADMINISTRATOR
from wippy_console.services import registry
from wippy_console.services.registry import ChangesRefused

pytestmark = pytest.mark.django_db(transaction=True)

CHARGE = Entry("app:charge", "function.python", {}, {"callable": "shop.payments:charge"})


def test_naming_python_code_takes_more_than_an_authors_right() -> None:
    ada, boss = author("ada"), User.objects.create_user("boss")
    boss.groups.add(Group.objects.get(name=ADMINISTRATOR))
    with pytest.raises(PermissionDenied, match=r"function\.python"):
        create(CHARGE, user=ada)
    create(CHARGE, user=boss)
    for data in ({"callable": "os:system"}, {**CHARGE.data, "security": {"policies": []}}):
        with pytest.raises(PermissionDenied):
            update(replace(CHARGE, data=data), user=ada)
    assert [registry.may_publish(user, "function.python", "app") for user in (ada, boss)] == [False, True]


def test_authors_tune_and_delete_what_others_named() -> None:
    create(CHARGE)
    ada = author("ada")
    update(replace(CHARGE, meta={"options": {"retry": {"max_attempts": 3}}}), user=ada)
    delete(CHARGE.id, user=ada)


def test_an_entry_does_not_become_python_by_its_kind_alone() -> None:
    create(Entry(CHARGE.id, "registry.entry", {}, dict(CHARGE.data)))
    with pytest.raises(PermissionDenied):
        update(CHARGE, user=author("ada"))


def test_lua_code_never_names_python_whatever_is_allowed() -> None:
    for before, after in (({}, {CHARGE.id: CHARGE}), ({CHARGE.id: CHARGE}, {})):
        assert forbidden_to_lua([CHARGE.id], before, after, ["function.python"]) == [CHARGE.id]


@pytest.mark.parametrize(
    "text", ["os.system", "os:", ":x", "a b:c", "os:system()", "${env:X}:y", "../x:y", "class:x", 5]
)
def test_a_callable_is_a_module_and_a_name(text: object) -> None:
    with pytest.raises(ChangesRefused) as caught:
        create(replace(CHARGE, data={"callable": text}))
    assert {problem.field for problem in caught.value.problems} == {"callable"}
