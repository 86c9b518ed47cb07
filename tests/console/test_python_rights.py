"""Who may name Python code in the registry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.test import Client

from engine.contracts.registry import Author
from engine.entry import Entry
from engine.registry.guarded import forbidden_to_lua
from tests.console.registry_cast import author, create, delete, update
from wippy_console.permissions import ADMINISTRATOR
from wippy_console.services import registry
from wippy_console.services.python_functions import code_of, naming
from wippy_console.services.registry import Changes, ChangesRefused, ForbiddenError

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def allowed(settings: Any) -> None:
    """Python code that tests may name."""
    settings.PYTHON_FUNCTIONS = (
        "shop.*",
        *(f"tests.console.{each}.*" for each in ("python_code", "python_script", "python_broken")),
    )


CHARGE = Entry("app:charge", "function.python", {}, {"callable": "tests.console.python_code:charge"})


def test_naming_python_code_takes_more_than_an_authors_right() -> None:
    ada, boss = author("ada"), User.objects.create_user("boss")
    boss.groups.add(Group.objects.get(name=ADMINISTRATOR))
    with pytest.raises(PermissionDenied, match=r"function\.python"):
        create(CHARGE, user=ada)
    create(CHARGE, user=boss)
    for data in ({"callable": "tests.console.python_code:slow_charge"}, {**CHARGE.data, "security": {"policies": []}}):
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


@pytest.mark.parametrize(
    "name", ["command", "os.system", "bound", "charge.__globals__.get", "transaction.atomic", "Charger.__init__"]
)
def test_what_a_module_only_imports_is_not_named(name: str) -> None:
    with pytest.raises(ChangesRefused) as caught:
        create(replace(CHARGE, data={"callable": f"tests.console.python_code:{name}"}))
    (problem,) = caught.value.problems
    assert problem.field == "callable" and "not among WIPPY_PYTHON_FUNCTIONS (shop.*" in problem.message


@pytest.mark.parametrize("text", ["os:system", "shopping:x", "shopping.code:x"])
def test_what_the_patterns_leave_out_is_refused_and_never_imported(text: str) -> None:
    with pytest.raises(ChangesRefused, match="not among WIPPY_PYTHON_FUNCTIONS"):
        create(replace(CHARGE, data={"callable": text}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tests.console.python_code:chargs", "has no 'chargs'; did you mean `charge`?"),
        ("shop.nowhere.at_all:x", "shop.nowhere"),
        ("tests.console.python_code:nothing", "takes no argument: the first is ctx"),
        ("tests.console.python_code:by_name", "wants order by its name"),
    ],
)
def test_code_that_is_not_there_yet_or_can_not_be_called_is_a_warning(text: str, said: str) -> None:
    (warning,) = create(replace(CHARGE, data={"callable": text})).warnings
    assert warning.field == "callable" and said in warning.message


def test_a_script_that_ends_the_process_is_told_of_and_ends_none(client: Client) -> None:
    (warning,) = create(replace(CHARGE, data={"callable": "tests.console.python_script:main"})).warnings
    client.force_login(User.objects.create_superuser("boss"))
    shown = client.get(f"/registry/{CHARGE.id}/").content.decode()
    assert all("ends the process when it is imported" in text for text in (warning.message, shown))


def test_an_import_that_fails_tells_no_path_of_the_machine() -> None:
    (warning,) = create(replace(CHARGE, data={"callable": "tests.console.python_broken:charge"})).warnings
    assert "cannot import name 'nothing_here'" in warning.message
    assert str(Path(__file__).parent) not in warning.message


def test_code_is_not_imported_for_those_who_may_not_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    named = replace(CHARGE, data={"callable": "tests.console.python_script:main"})
    monkeypatch.setattr(naming, "import_module", lambda module: pytest.fail(f"{module} was imported"))
    with pytest.raises(PermissionDenied):
        create(named, user=author("ada"))
    with pytest.raises(ForbiddenError):
        registry.publish_from_lua(Author("app:robot", "{h:1}"), Changes(create=(named,)), base=0)


@pytest.mark.parametrize("name", ["charge", "slow_charge", "careful", "charger"])
def test_functions_of_a_module_are_named_decorated_or_not(name: str) -> None:
    assert not create(replace(CHARGE, data={"callable": f"tests.console.python_code:{name}"})).warnings


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("charge", ["charge(ctx: ", "Charge it.", "on a thread", "tests/console/python_code.py:", "return"]),
        ("slow_charge", ["async slow_charge(", "on the loop of async functions"]),
        ("careful", ["careful(ctx: ", "within a transaction"]),
        ("charger", ["charger(ctx: ", "class", "Charges."]),
    ],
)
def test_the_page_of_an_entry_shows_its_code_and_no_path_of_the_machine(
    client: Client, name: str, told: list[str]
) -> None:
    create(replace(CHARGE, data={"callable": f"tests.console.python_code:{name}"}))
    client.force_login(User.objects.create_superuser("boss"))
    text = client.get(f"/registry/{CHARGE.id}/").content.decode()
    assert all(each in text for each in told)
    assert str(Path(__file__).parent) not in text and "<textarea" not in text


def test_words_of_code_are_paragraphs_and_lists_as_they_are_meant(client: Client) -> None:
    create(replace(CHARGE, data={"callable": "tests.console.python_code:told"}))
    client.force_login(User.objects.create_superuser("boss"))
    text = client.get(f"/registry/{CHARGE.id}/").content.decode()
    assert "<p>Tell much, which takes more than one line.</p>" in text
    assert "<p>- of this,<br>- and of that</p>" in text


def test_defaults_of_code_are_not_told_by_their_values() -> None:
    entry = replace(CHARGE, data={"callable": "tests.console.python_code:with_key"})
    code = code_of(entry)
    assert code is not None and code.signature.endswith("= None, key: str = …) -> str")


def test_the_page_says_what_is_not_there(client: Client) -> None:
    create(replace(CHARGE, data={"callable": "tests.console.python_code:chargs"}))
    client.force_login(User.objects.create_superuser("boss"))
    assert "did you mean `charge`?" in client.get(f"/registry/{CHARGE.id}/").content.decode()
