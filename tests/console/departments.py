"""Two departments with rows of every kind, of which neither may find the other's ids, titles or values."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from engine.entry import Entry
from tests.console.registry_cast import create
from wippy_console import permissions
from wippy_console.models import (
    Comment,
    Decision,
    Grant,
    Node,
    Process,
    Quarantine,
    Question,
    QuestionRole,
    Run,
    Service,
    Vote,
)
from wippy_console.services import (
    audit,
    feed,
)

SIGNALS = [{"topic": "decision", "label": "Approve"}, {"topic": "decision", "label": "Reject"}]
OURS, THEIRS = "shop", "vault"
IDS = {name: f"{number}0000000-0000-0000-0000-000000000000" for number, name in enumerate((OURS, THEIRS, "hush"), 1)}
SECRET = ("vault", "Xyzzy", "hush", IDS[THEIRS])
"""What of the other department nobody of ours may find in any answer."""


@dataclass
class Room:
    """One department: its run, its question, its process."""

    run: Run
    question: Question
    process: Process
    service: Service
    quarantine: Quarantine


def furnish(name: str, word: str) -> Room:
    """Rows of every kind, all holding the department's name, `Title <word>` or a value."""
    now, entry = timezone.now(), f"{name}:flow"
    run = Run.objects.create(
        run_id=IDS[name], workflow_id=f"{name}-flow", entry_id=entry, namespace=name, client="app:client",
        worker="app:worker", started_at=now, input=[{"value": f"{word} value"}], registry_version=1,
    )  # fmt: skip
    question = Question.objects.create(
        run=run, namespace=name, channel="decision", number=0, key=name, opened_at=now, signals=SIGNALS,
        title=f"{word} question", search=f"{name} {word}".lower(),
    )  # fmt: skip
    QuestionRole.objects.create(question=question, role="")
    user = User.objects.get_or_create(username="someone")[0]
    Vote.objects.create(question=question, user=user, index=0, topic="decision", label=f"{word} vote")
    Comment.objects.create(question=question, user=user, text=f"{word} comment")
    Decision.objects.create(run=run, user=user, action="signal", topic=f"{name}-topic", label=word, state="sent")
    feed.append(feed.STARTED, run=run)
    feed.append(feed.SIGNAL, run=run, data={"topic": f"{name}-topic", "payload": f"{word} payload"})
    audit.append(audit.START, user, run=run, entry_id=entry, outcome="done", label=word)
    node = Node.objects.get_or_create(
        id="n1", defaults={"hostname": "host", "os_pid": 1, "started_at": now, "heartbeat_at": now}
    )[0]
    node.hosts = [*node.hosts, {"id": f"{name}:host", "kind": "process.host"}]
    node.task_queues = [*node.task_queues, f"{name}-queue"]
    node.save()
    process = Process.objects.create(
        node=node, pid=f"{{n1@{name}:host|1}}", entry_id=f"{name}:process", host_id=f"{name}:host", kind="process",
        started_at=now, state="idle", name_text=word,
    )  # fmt: skip
    service = Service.objects.create(
        node=node, entry_id=f"{name}:service", kind="process.service", state="running", since=now
    )
    stopped = Quarantine.objects.create(
        entry_id=entry, kind="workflow", digest="d" * 64, host=f"{name}:host", node="n1", seconds=3, at=now
    )
    return Room(run, question, process, service, stopped)


def entries(name: str, word: str) -> tuple[Entry, ...]:
    source = {"source": f"-- {word}\nreturn {{main = function() end}}", "method": "main"}
    return (
        Entry(f"{name}:flow", "workflow.lua", {"title": f"{word} flow", "signals": SIGNALS}, source),
        Entry(f"{name}:process", "process.lua", {"title": f"{word} process"}, source),
    )


def make_rooms() -> dict[str, Room]:
    """Both departments; a run of another system; and one run of theirs that is a child of ours, and the other way."""
    permissions.install_groups(Group, Permission)
    create(*entries(OURS, "Open"))
    create(*entries(THEIRS, "Xyzzy"))
    made = {OURS: furnish(OURS, "Open"), THEIRS: furnish(THEIRS, "Xyzzy hush")}
    for name, other in ((OURS, THEIRS), (THEIRS, OURS)):
        Run.objects.filter(pk=made[name].run.pk).update(
            parent_run_id=made[other].run.pk, parent_workflow_id=made[other].run.workflow_id
        )
    data = {"status": "completed", "parent_workflow_id": f"{THEIRS}-flow", "parent_run_id": IDS[THEIRS]}
    feed.append(feed.EXIT, run=made[OURS].run, data=data)
    Run.objects.create(
        run_id=IDS["hush"], workflow_id="hush-foreign", entry_id="XyzzyType", client="app:client",
        started_at=timezone.now(),
    )  # fmt: skip
    return made


def member(name: str, *, patterns: tuple[str, ...] = (), listed: tuple[str, ...] = (), role: str = "author") -> User:
    """Somebody in a group with all rights of a role, and grants for these patterns."""
    group = Group.objects.create(name=f"{name}s")
    group.permissions.set(Group.objects.get(name=role).permissions.all())
    for pattern in patterns:
        Grant.objects.create(group=group, pattern=pattern, rights=list(listed))
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(group)
    return User.objects.get(pk=user.pk)


def refuse_secrets(text: str, place: str) -> None:
    for word in SECRET:
        assert word.casefold() not in text.casefold(), f"{word} stands in {place}"
