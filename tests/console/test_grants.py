"""Rights by namespace: where a right counts, what services refuse, what it costs."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from engine.entry import Entry
from engine.registry.changes import Changes
from tests.console.departments import (
    IDS,
    OURS,
    SIGNALS,
    THEIRS,
    Room,
    entries,
    member,
    refuse_secrets,
)
from tests.console.registry_cast import create
from wippy_console import permissions
from wippy_console.models import (
    FeedEvent,
    Grant,
    Node,
    Process,
    Program,
    Quarantine,
    Question,
    QuestionRole,
    Run,
    Service,
)
from wippy_console.permissions import EVERYWHERE, NOWHERE, Scope
from wippy_console.services import (
    accounts,
    decisions,
    feed,
    grants,
    processes,
    quarantine,
    questions,
    registry,
    rights,
    runs,
)
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.registry import ChangesRefused

pytestmark = pytest.mark.django_db


# -- where a right counts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("shop", ["shop"], ["shop.x", "shopping", "", "sho"]),
        ("shop.*", ["shop", "shop.x", "shop.x.y"], ["shopping", "shop-x", "", "vault"]),
        ("*", ["shop", "a.b", ""], []),
    ],
)
def test_a_pattern_covers_what_it_says_in_memory_and_in_queries(
    db: None, pattern: str, inside: list[str], outside: list[str]
) -> None:
    for number, name in enumerate(inside + outside):
        entry = f"{name}:flow" if name else "Foreign"
        Run.objects.create(
            run_id=str(number), workflow_id="w", entry_id=entry, namespace=name, client="c", started_at=timezone.now()
        )
    scope = Scope((pattern,))
    assert [name for name in inside + outside if scope.covers(name)] == inside
    for found in (grants.condition(scope), grants.of_entries(scope)):
        rows = Run.objects.filter(found).order_by("run_id").values_list("namespace", flat=True)
        assert list(rows) == inside


@pytest.mark.parametrize("pattern", ["", "*.shop", "shop.", "shop*", "a..b", "shop.*.x", "%", ".*"])
def test_a_bad_pattern_is_refused_in_words(rooms: dict[str, Room], pattern: str) -> None:
    group = Group.objects.get(name="viewer")
    with pytest.raises(ValidationError, match="is no pattern"):
        Grant(group=group, pattern=pattern).clean()
    with pytest.raises(Refused, match="is no pattern"):
        rights.replace(User.objects.create_superuser("boss"), group, {pattern: []})


def test_a_grant_names_rights_that_its_group_holds(rooms: dict[str, Room]) -> None:
    with pytest.raises(ValidationError, match="does not hold start_run"):
        Grant(group=Group.objects.get(name="viewer"), pattern="shop", rights=["start_run"]).clean()


def test_groups_add_up_and_one_without_grants_counts_everywhere(rooms: dict[str, Room]) -> None:
    user = member("clerk", patterns=("shop",))
    other = Group.objects.create(name="others")
    other.permissions.set(Permission.objects.filter(codename="view_run"))
    Grant.objects.create(group=other, pattern="lab.*")
    user.groups.add(other)
    user = User.objects.get(pk=user.pk)
    assert permissions.scope(user, permissions.VIEW_RUN) == Scope(("lab.*", "shop"))
    assert permissions.scope(user, permissions.START_RUN) == Scope(("shop",))
    user.groups.add(Group.objects.get(name="viewer"))
    user = User.objects.get(pk=user.pk)
    assert permissions.scope(user, permissions.VIEW_RUN) == EVERYWHERE
    assert permissions.scope(user, permissions.START_RUN) == Scope(("shop",))


def test_a_list_of_rights_leaves_the_others_nowhere(rooms: dict[str, Room]) -> None:
    user = member("reader", patterns=("shop",), listed=("view_run",))
    assert permissions.scope(user, permissions.VIEW_RUN) == Scope(("shop",))
    assert permissions.scope(user, permissions.START_RUN) == NOWHERE
    assert not permissions.allows(user, permissions.START_RUN)


@pytest.mark.parametrize("kind", ["superuser", "direct"])
def test_superusers_and_direct_permissions_count_everywhere(rooms: dict[str, Room], kind: str) -> None:
    user = member("clerk", patterns=("shop",))
    if kind == "superuser":
        User.objects.filter(pk=user.pk).update(is_superuser=True)
    else:
        user.user_permissions.add(Permission.objects.get(codename="view_run"))
    assert permissions.scope(User.objects.get(pk=user.pk), permissions.VIEW_RUN) == EVERYWHERE


def test_scopes_of_many_users_are_those_of_each(rooms: dict[str, Room]) -> None:
    people = [
        member("a", patterns=("shop",)), member("b"), member("c", patterns=("x.*", "y"), listed=("view_run",)),
        User.objects.create_user("d"), User.objects.create_superuser("e"),
    ]  # fmt: skip
    with CaptureQueriesContext(connection) as queries:
        found = permissions.scopes_of(people, permissions.RIGHTS)
    assert len(queries) == 3
    for user in people:
        assert found[user.pk] == {right: permissions.scope(user, right) for right in permissions.RIGHTS}


# -- services --------------------------------------------------------------------------------------


def acts(user: User, room: Room) -> dict[str, Any]:
    name = room.run.namespace
    return {
        "answer": lambda: decisions.decide(user, room.run, 0, {}),
        "send": lambda: decisions.send(user, room.run, "decision"),
        "raw": lambda: decisions.send_raw(user, room.run, "topic"),
        "cancel": lambda: decisions.cancel(user, room.run),
        "terminate": lambda: decisions.terminate(user, room.run, "why"),
        "claim": lambda: decisions.claim(user, room.question),
        "start": lambda: runs.start(user, f"{name}:flow", "", []),
        "spawn": lambda: processes.spawn(user, f"{name}:process", "", []),
        "call": lambda: processes.call(user, f"{name}:process", []),
        "message": lambda: processes.message(user, room.process.pid, "topic"),
        "stop": lambda: processes.cancel(user, room.process.pid, ""),
        "end": lambda: processes.terminate(user, room.process.pid, "why"),
        "lift": lambda: quarantine.lift(user, room.quarantine.pk),
        "publish": lambda: registry.publish(user, Changes(delete=(f"{name}:flow",)), base=None, message=""),
    }


ACTS = tuple(acts(User(), Room(Run(), Question(), Process(), Service(), Quarantine())))


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("by", ["clerk", "command line"])
def test_nobody_acts_in_other_namespaces(rooms: dict[str, Room], clerk: User, act: str, by: str) -> None:
    user = clerk if by == "clerk" else accounts.on_behalf("root", "clerk")
    with pytest.raises((PermissionDenied, NotFoundError)) as refusal:
        acts(user, rooms[THEIRS])[act]()
    assert "hush" not in str(refusal.value) and "Xyzzy" not in str(refusal.value)


@pytest.mark.parametrize("command", ["runs", "audit"])
def test_commands_show_what_another_may_see(rooms: dict[str, Room], clerk: User, command: str) -> None:
    shown, everything = StringIO(), StringIO()
    call_command(command, "--json", "--as", "clerk", stdout=shown)
    call_command(command, "--json", stdout=everything)
    refuse_secrets(shown.getvalue(), command)
    assert "shop-flow" in shown.getvalue() and "vault-flow" in everything.getvalue()


def test_a_refusal_names_the_right_and_the_namespace(rooms: dict[str, Room], clerk: User) -> None:
    with pytest.raises(PermissionDenied, match=r"You may not cancel runs .* in vault\."):
        decisions.cancel(clerk, rooms[THEIRS].run)


def test_lists_of_services_hold_ones_own(rooms: dict[str, Room], clerk: User) -> None:
    assert [run.pk for run in runs.search(clerk).rows] == [IDS[OURS]]
    assert [each.pk for each in questions.open_for(clerk)] == [rooms[OURS].question.pk]
    told = [*feed.latest(clerk), *feed.after(clerk, 0)]
    assert {row.namespace for row in told if row.kind != feed.PUBLISHED} == {OURS}
    assert all(set(row.data) == {"version"} for row in told if row.kind == feed.PUBLISHED)
    assert {each.id for each in runs.startable(clerk)} == {"shop:flow"}
    assert [each.process.entry_id for each in processes.search(clerk).lines] == ["shop:process"]
    assert [each.entry_id for each in processes.services(clerk)] == ["shop:service"]
    assert [each.entry_id for each in quarantine.visible(clerk)] == ["shop:flow"]
    assert {each.namespace for each in registry.entries_for(clerk)} == {OURS}


def test_an_entry_may_not_newly_name_what_its_author_may_not_see(rooms: dict[str, Room], clerk: User) -> None:
    create(Entry("vault:lib", "library.lua", {}, {"source": "return {}"}))
    entry = Entry("shop:thief", "function.lua", {}, {"source": "return {}", "imports": {"l": "vault:lib"}})
    with pytest.raises(PermissionDenied, match="may not name vault:lib"):
        registry.publish(clerk, Changes(create=(entry,)), base=None, message="")
    assert not Program.objects.filter(entry_id="shop:thief").exists()


def test_problems_name_no_entries_of_others(rooms: dict[str, Room], clerk: User) -> None:
    create(Entry("shop:lib", "library.lua", {}, {"source": "return {}"}))
    create(Entry("vault:user", "function.lua", {}, {"source": "return {}", "imports": {"l": "shop:lib"}}))
    create(Entry("vault:ours", "library.lua", {}, {"source": "return {}"}))
    with pytest.raises(ChangesRefused) as refusal:
        registry.publish(clerk, Changes(delete=("shop:lib",)), base=None, message="")
    refuse_secrets(str(refusal.value), "a refusal")
    assert "an entry outside of your namespaces" in str(refusal.value)
    wrong = Entry("shop:wrong", "function.lua", {}, {"source": "return {}", "imports": {"l": "shop:ours"}})
    with pytest.raises(ChangesRefused) as refusal:
        registry.publish(clerk, Changes(create=(wrong,)), base=None, message="")
    refuse_secrets(str(refusal.value), "a hint")


def test_one_may_not_make_an_entry_over_one_of_others(rooms: dict[str, Room], clerk: User) -> None:
    entry = entries(THEIRS, "Mine")[0]
    with pytest.raises(PermissionDenied):
        registry.save_entry(clerk, entry.id, base=None, kind=entry.kind, meta=entry.meta, data=entry.data, message="")


# -- cost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/runs/", "/inbox/", "/live/", "/audit/", "/processes/"])
def test_lists_with_grants_cost_the_same_for_500_rows_as_for_50(browser: Client, address: str) -> None:
    begin = 450 if address == "/processes/" else 50  # fewer of one's own are shown as a tree
    crowd(begin)
    few = count(browser, address)
    crowd(500, begin)
    assert count(browser, address) <= few


def crowd(many: int, begin: int = 0) -> None:
    now = timezone.now()
    names = [(number, (OURS, THEIRS)[number % 2]) for number in range(begin, begin + many)]
    made = Run.objects.bulk_create(
        Run(
            run_id=f"90000000-0000-0000-0000-{n:012}",
            workflow_id=f"c{n}",
            entry_id=f"{name}:flow",
            namespace=name,
            client="c",
            started_at=now,
        )
        for n, name in names
    )
    asked = Question.objects.bulk_create(
        Question(run=run, namespace=run.namespace, channel="d", number=0, key="k", opened_at=now, signals=SIGNALS)
        for run in made
    )
    QuestionRole.objects.bulk_create(QuestionRole(question=each, role="") for each in asked)
    FeedEvent.objects.bulk_create(
        FeedEvent(at=now, kind="STARTED", run_id=run.pk, entry_id=run.entry_id, namespace=run.namespace) for run in made
    )
    node = Node.objects.get(pk="n1")
    Process.objects.bulk_create(
        Process(node=node, pid=f"{{n1@h|{run.pk}}}", entry_id=run.entry_id, host_id="h", kind="process", started_at=now)
        for run in made
    )


def count(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_the_condition_uses_the_index(rooms: dict[str, Room], clerk: User) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # of three rows it would read all
    plan = runs.visible(clerk).order_by().explain()
    whole = "Seq Scan" if connection.vendor == "postgresql" else "SCAN"
    assert "run_room" in plan and whole not in plan
