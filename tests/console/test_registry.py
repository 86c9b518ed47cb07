from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import ProtectedError

from engine.entry import Entry
from engine.registry.linking import link
from tests.console.registry_cast import author, create, delete, function, library, update
from wippy_console.management.operations import operator
from wippy_console.models import FeedEvent, Program, Revision, Version
from wippy_console.services import registry
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.registry import Changes, ChangesRefused, StaleBaseError

pytestmark = pytest.mark.django_db


def digests() -> set[str]:
    return set(Program.objects.values_list("digest", flat=True))


def test_an_empty_registry_has_no_version() -> None:
    assert registry.current_version() is None
    assert registry.current_number() == 0
    assert registry.entries() == []
    assert registry.tree() == {}


def test_a_publish_makes_one_version_with_revisions_programs_and_one_feed_event() -> None:
    ada = author("ada")
    version = create(function("charge", imports={"m": "money"}), library("money"), user=ada)
    assert (version.number, version.author, version.message, version.source) == (1, ada, "create", "apply")
    assert [(row.entry_id, row.deleted) for row in version.revisions.all()] == [
        ("app:charge", False),
        ("app:money", False),
    ]
    current = {each.id: each for each in registry.entries()}
    assert digests() == {link("app:charge", current).digest}
    (event,) = FeedEvent.objects.filter(kind="PUBLISHED")
    assert event.data == {
        "version": 1, "author": "ada", "source": "apply", "message": "create", "created": ["app:charge", "app:money"],
        "updated": [], "deleted": [], "total": 2,
    }  # fmt: skip


def test_numbers_follow_each_other() -> None:
    assert [create(function(name)).number for name in "abc"] == [1, 2, 3]


def test_old_versions_stay_readable() -> None:
    create(function("a", "return 1"), function("b"))
    update(function("a", "return 2"))
    delete("app:a")
    assert registry.entry("app:a", 1).data["source"] == "return 1"
    assert registry.entry("app:a", 2).data["source"] == "return 2"
    assert [each.id for each in registry.entries()] == ["app:b"]
    assert [each.id for each in registry.entries(2)] == ["app:a", "app:b"]
    with pytest.raises(NotFoundError, match="There is no entry app:a"):
        registry.entry("app:a")
    assert [(row.version_id, row.deleted) for row in registry.revisions("app:a")] == [(3, True), (2, False), (1, False)]


def test_a_deleted_entry_can_come_back() -> None:
    create(function("a", "return 1"))
    delete("app:a")
    create(function("a", "return 3"))
    assert registry.entry("app:a").data["source"] == "return 3"


def test_a_changed_library_makes_new_programs_of_all_that_import_it() -> None:
    create(library("low"), library("mid", imports={"l": "low"}), function("f", imports={"m": "mid"}), function("g"))
    before = digests()
    update(library("low", "return {1}"))
    (fresh,) = digests() - before
    assert Program.objects.get(digest=fresh).entry_id == "app:f"
    assert digests() > before


def test_going_back_to_an_earlier_source_uses_the_program_that_is_there() -> None:
    create(function("a", "return 1"))
    update(function("a", "return 2"))
    update(function("a", "return 1"))
    assert Program.objects.count() == 2


def test_an_unsound_change_is_refused_with_every_problem_and_changes_nothing() -> None:
    with pytest.raises(ChangesRefused) as refused:
        create(
            function("a", "retrun 1"),
            function("b", imports={"x": "gone"}),
            Entry("app:c", "workflow.lua", {}, {"source": "return {}", "modules": ["sql"]}),
            library("d", imports={"d": "d"}),
            Entry("app:e", "function lua"),
        )
    assert [(each.entry_id, each.field, each.line) for each in refused.value.problems] == [
        ("app:b", "imports.x", None),
        ("app:c", "modules.0", None),
        ("app:d", "imports", None),
        ("app:e", "kind", None),
        ("app:a", "source", 1),
    ]
    assert refused.value.status == 422
    assert refused.value.message.startswith("5 problems, the first: ")
    assert set(refused.value.fields) == {"imports.x", "modules.0", "imports", "kind", "source"}
    assert not Version.objects.exists()
    assert not FeedEvent.objects.exists()


def test_deleting_what_others_use_is_refused_and_names_them() -> None:
    create(library("money"), function("charge", imports={"m": "money"}))
    with pytest.raises(ChangesRefused, match=r"app:money: can't be deleted: used by app:charge \(imports.m\)"):
        delete("app:money")
    assert delete("app:money", "app:charge").number == 2


def test_changes_that_do_not_fit_are_refused() -> None:
    create(function("a"))
    with pytest.raises(ChangesRefused, match="exists already"):
        create(function("a", "return 2"))
    with pytest.raises(ChangesRefused, match="there is no such entry"):
        update(function("b"))
    with pytest.raises(ChangesRefused, match="there is no such entry"):
        delete("app:b")
    with pytest.raises(Refused, match="There is no version 9"):
        update(function("a", "return 2"), base=9)


def test_a_stale_base_is_a_conflict_that_names_version_author_and_time() -> None:
    create(function("a", "return 1"), function("b"))
    winner = update(function("a", "return 2"), user=author("ada"), base=1)
    with pytest.raises(StaleBaseError) as stale:
        update(function("a", "return 3"), base=1)
    assert stale.value.status == 409
    assert f"app:a was changed in version 2 by ada at {winner.created_at:%Y-%m-%d %H:%M:%S} UTC" in stale.value.message
    assert "began with version 1" in stale.value.message
    assert [each.data["source"] for each in stale.value.revisions] == ["return 2"]
    with pytest.raises(StaleBaseError, match="app:a was changed in version 2"):
        delete("app:a", base=1)
    assert registry.current_number() == 2


def test_changing_what_was_deleted_meanwhile_is_a_conflict() -> None:
    create(function("a"), function("b"))
    delete("app:a", base=1)
    with pytest.raises(StaleBaseError, match=f"app:a was deleted in version 2 by {operator()}"):
        update(function("a", "return 2"), base=1)


def test_a_stale_base_does_not_matter_for_entries_that_nobody_touched() -> None:
    create(function("a"), function("b"))
    update(function("a", "return 2"), base=1)
    assert update(function("b", "return 3"), base=1).number == 3


def test_saving_what_is_already_there_makes_no_version() -> None:
    create(function("a", "return 1"))
    update(function("a", "return 2"), base=1)
    assert update(function("a", "return 2"), base=1).number == 2
    assert Version.objects.count() == 2


def test_only_who_may_publish_can() -> None:
    viewer = User.objects.create_user("viewer")
    with pytest.raises(PermissionDenied, match="publish registry versions"):
        create(function("a"), user=viewer)
    assert create(function("a"), user=author("ada")).number == 1
    nobody: Any = None
    with pytest.raises(PermissionDenied):
        registry.publish(nobody, Changes(create=(function("b"),)), base=None, message="")
    with pytest.raises(PermissionDenied):
        registry.save_entry(nobody, "app:b", base=None, kind="registry.entry", meta={}, data={}, message="")
    with pytest.raises(PermissionDenied):
        registry.delete_entry(nobody, "app:a", base=None, message="")


def test_the_editor_saves_creates_and_deletes_one_entry() -> None:
    ada = author("ada")

    def save(source: str, base: int | None) -> Version:
        return registry.save_entry(
            ada, "app:a", base=base, kind="function.lua", meta={"title": "A"}, data={"source": source}, message="why"
        )

    assert save("return 1", None).source == "editor"
    assert save("return 2", 1).number == 2
    with pytest.raises(ChangesRefused, match="exists already"):
        save("return 3", None)
    with pytest.raises(StaleBaseError):
        save("return 3", 1)
    assert registry.entry("app:a").meta == {"title": "A"}
    assert registry.delete_entry(ada, "app:a", base=2, message="").number == 3


def test_a_preview_finds_what_a_publish_would_and_changes_nothing() -> None:
    create(function("a"))
    assert registry.preview(1, Changes(update=(function("a", "return 2"),))) == []
    (broken,) = registry.preview(1, Changes(update=(function("a", "x ="),)))
    assert (broken.entry_id, broken.field, broken.line, broken.severity) == ("app:a", "source", 1, "error")
    (foreign,) = registry.preview(None, Changes(create=(Entry("app:x", "http.static"),)))
    assert foreign.severity == "warning"
    update(function("a", "return 5"))
    (stale,) = registry.preview(1, Changes(update=(function("a", "return 2"),)))
    assert "changed in version 2" in stale.message
    (twice,) = registry.preview(None, Changes(create=(function("a"),)))
    assert twice.message == "exists already"
    assert registry.current_number() == 2


def test_a_warning_does_not_stop_a_publish() -> None:
    assert create(Entry("app:x", "http.static", {}, {"addr": ":80"})).number == 1
    assert registry.entry("app:x").data == {"addr": ":80"}


def test_users_of_an_entry_are_found_in_fields_and_in_sources() -> None:
    create(
        library("money"),
        function("charge", imports={"m": "money"}),
        function("caller", "return require('funcs').call('app:charge')", modules=["funcs"]),
        function("other", "return 'app:charges'"),
    )
    assert [each.id for each in registry.used_by("app:money")] == ["app:charge"]
    assert [each.id for each in registry.used_by("app:charge")] == ["app:caller"]


def test_the_tree_groups_by_namespace() -> None:
    create(function("b"), function("a"), Entry("app.sub:x", "registry.entry"))
    assert {space: [each.name for each in group] for space, group in registry.tree().items()} == {
        "app": ["a", "b"],
        "app.sub": ["x"],
    }


def test_what_runs_may_need_can_not_be_deleted_by_mistake() -> None:
    version = create(function("a"))
    for model in (Version, Revision, Program):
        for field in model._meta.get_fields():
            if isinstance(field, models.ForeignKey):
                assert field.remote_field.on_delete is models.PROTECT
    with pytest.raises(ProtectedError):
        version.delete()


def test_many_entries_are_published_at_once() -> None:
    version = create(*(function(f"f{n:04}", f"return {n}") for n in range(1500)))
    assert version.revisions.count() == 1500
    assert Program.objects.count() == 1500
    event = FeedEvent.objects.get(kind="PUBLISHED")
    assert (len(event.data["created"]), event.data["total"]) == (200, 1500)


def test_only_administrators_decide_where_the_keys_of_this_machine_are_sent() -> None:
    client = Entry("app:client", "temporal.client", {}, {"address": "127.0.0.1:7233"})
    elsewhere = Entry("app:client", "temporal.client", {}, {"address": "evil.example:7233"})
    ada = author("ada")
    with pytest.raises(PermissionDenied, match=r"temporal\.client"):
        create(client, user=ada)
    create(client)
    with pytest.raises(PermissionDenied):
        update(elsewhere, user=ada)
    with pytest.raises(PermissionDenied):
        delete("app:client", user=ada)
    boss = User.objects.create_superuser("boss")
    assert [registry.may_publish(user, "temporal.client", "app") for user in (ada, boss)] == [False, True]
    assert registry.may_publish(ada, "workflow.lua", "app")
    assert update(elsewhere, user=boss).number == 2


def test_a_variable_that_is_not_set_fails_the_publishing_with_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIPPY_TEST_SET", "1")
    fields = {
        "a": "${env:WIPPY_TEST_SET}",
        "b": "${env:WIPPY_TEST_UNSET|x}",
        "c": "${env:REGION}",
        "d": "${env:app:region}",
    }
    region = Entry("app:region", "env.variable", {}, {"variable": "REGION", "default": "eu"})
    create(region, Entry("app:f", "function.lua", {"options": fields}, {"source": "return {}"}))
    with pytest.raises(ChangesRefused) as refused:
        update(
            Entry("app:f", "function.lua", {"options": {"timeout": "${env:WIPPY_TEST_UNSET}"}}, {"source": "return {}"})
        )
    (problem,) = refused.value.problems
    assert (problem.entry_id, problem.field) == ("app:f", "meta.options.timeout")
    assert "WIPPY_TEST_UNSET is not set" in problem.message
