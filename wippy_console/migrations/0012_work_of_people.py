"""What a department needs: questions that say what they ask, votes, comments, guests, notifications, grants, audit."""

import datetime
import hashlib
import json
import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import StrIndex, Substr

from wippy_console.permissions import make_groups

PORTION = 1000


def name_rooms(apps, schema_editor):
    """The namespace of an entry stands before its colon."""
    for model in ("Run", "FeedEvent"):
        rows = apps.get_model("wippy_console", model).objects.using(schema_editor.connection.alias)
        colon = StrIndex(F("entry_id"), models.Value(":"))
        rows.alias(colon=colon).filter(colon__gt=1).update(namespace=Substr(F("entry_id"), 1, colon - 1))


def name_questions(apps, schema_editor):
    """Each was one topic; how the closed ones ended is told from what is known. A few queries for each portion."""
    alias = schema_editor.connection.alias
    rows = apps.get_model("wippy_console", "Question").objects.using(alias)
    decisions = apps.get_model("wippy_console", "Decision").objects.using(alias)
    metas = Metas(apps.get_model("wippy_console", "Revision").objects.using(alias))
    last = 0
    while portion := list(rows.filter(pk__gt=last).select_related("run").defer(*LARGE).order_by("pk")[:PORTION]):
        answering = decisions.filter(question__in=portion, state__in=["pending", "sent"])
        answered = set(answering.values_list("question_id", flat=True))
        for question in portion:
            meta = metas.of(question.run)
            fill(question, question.pk in answered)
            question.signals = fitting(question, meta)
            question.search = searched(question, meta)
        rows.bulk_update(portion, WRITTEN, batch_size=100)
        last = portion[-1].pk


LARGE = ("run__input", "run__result", "run__failure")
WRITTEN = ["waits", "key", "namespace", "nearest_at", "outcome", "outcome_text", "signals", "search"]


class Metas:
    """What entries declared as runs began, each looked up once."""

    def __init__(self, revisions):
        self.revisions = revisions
        self.known = {}

    def of(self, run):
        key = run.entry_id, run.registry_version
        if key not in self.known:
            rows = self.revisions.filter(entry_id=run.entry_id, deleted=False)
            if run.registry_version is not None:
                rows = rows.filter(version_id__lte=run.registry_version)
            newest = rows.order_by("-version_id").values_list("meta", flat=True).first()
            self.known[key] = newest if isinstance(newest, dict) else {}
        return self.known[key]


def fill(question, is_answered):
    waits = [[question.channel, question.number]]
    question.waits, question.namespace = waits, question.run.namespace
    question.key = hashlib.sha256(json.dumps(waits, ensure_ascii=False).encode()).hexdigest()
    question.nearest_at = question.deadline or question.nearest_at
    if is_answered:
        question.outcome = "answered"
    elif question.closed_at is not None:
        question.outcome, question.outcome_text = ended(question)


def fitting(question, meta):
    """What the run's entry declared for that topic, as it stood when the run began."""
    declared = meta.get("signals")
    listened = {wait.get("name") for wait in question.run.waiting if wait.get("kind") == "topic"}
    return [
        {**item, "index": index}
        for index, item in enumerate(declared if isinstance(declared, list) else ())
        if isinstance(item, dict)
        and isinstance(item.get("topic"), str)
        and (item["topic"] == question.channel or (not question.channel and item["topic"] not in listened))
    ]


def searched(question, meta):
    """Words by which it is found."""
    labels = [item["label"] if isinstance(item.get("label"), str) else item["topic"] for item in question.signals]
    title = meta.get("title") if isinstance(meta.get("title"), str) else ""
    run = question.run
    return "\n".join(filter(None, [run.workflow_id, run.run_id, run.entry_id, title, *labels])).lower()


def ended(question):
    if question.deadline is not None and question.closed_at >= question.deadline:
        return "expired", ""
    closed = question.run.closed_at
    if closed is not None and question.closed_at >= closed:
        return "withdrawn", f"The run ended ({question.run.status})."
    return "elsewhere", ""


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("wippy_console", "0011_drafts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditRow",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("user", models.CharField(help_text="name of an account, or guest:address", max_length=400)),
                ("action", models.CharField(max_length=30)),
                ("entry_id", models.CharField(blank=True, max_length=500)),
                ("namespace", models.CharField(blank=True, max_length=500)),
                ("workflow_id", models.CharField(blank=True, max_length=1000)),
                ("run_id", models.CharField(blank=True, max_length=64)),
                ("question_id", models.BigIntegerField(blank=True, null=True)),
                ("decision_id", models.UUIDField(blank=True, null=True)),
                ("label", models.CharField(blank=True, max_length=500)),
                ("outcome", models.CharField(blank=True, max_length=30)),
                ("data", models.JSONField(default=dict)),
                ("previous", models.CharField(blank=True, max_length=64)),
                ("hash", models.CharField(max_length=64)),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("guest", models.CharField(blank=True, max_length=320)),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["created_at", "id"],
            },
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pattern", models.CharField(default="*", max_length=500)),
                ("rights", models.JSONField(blank=True, default=list)),
            ],
            options={
                "ordering": ["group", "pattern"],
            },
        ),
        migrations.CreateModel(
            name="GuestLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(max_length=320)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(help_text="asked, due_soon, overdue, escalated, failed, exit, ...", max_length=20),
                ),
                ("fact", models.CharField(max_length=200)),
                (
                    "method",
                    models.CharField(
                        choices=[("email", "E-mail"), ("webhook", "Webhook"), ("chat", "Chat"), ("browser", "Browser")],
                        max_length=10,
                    ),
                ),
                ("address", models.CharField(max_length=2000)),
                ("data", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "Queued"), ("sent", "Sent"), ("dead", "Dead")],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_at", models.DateTimeField()),
                ("error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="NotificationPreference",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("chosen", models.JSONField(default=dict, help_text="methods by kind: {asked: [email, browser]}")),
                ("chat", models.CharField(blank=True, help_text="an Apprise address", max_length=2000)),
                ("webhook", models.URLField(blank=True, max_length=2000)),
                ("secret", models.CharField(blank=True, help_text="signs webhooks", max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="Vote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index", models.PositiveIntegerField(help_text="of the signal among those of the question")),
                ("topic", models.CharField(max_length=500)),
                ("label", models.CharField(blank=True, max_length=200)),
                ("payload", models.JSONField(blank=True, null=True)),
                ("reason", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["created_at", "id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="question",
            name="one_question_per_wait",
        ),
        migrations.RemoveConstraint(
            model_name="questionrole",
            name="one_row_per_question_role",
        ),
        migrations.AddField(
            model_name="decision",
            name="guest",
            field=models.CharField(blank=True, help_text="address of somebody without an account", max_length=320),
        ),
        migrations.AddField(
            model_name="decision",
            name="verdict",
            field=models.JSONField(blank=True, help_text="what the run answered an update", null=True),
        ),
        migrations.AddField(
            model_name="decision",
            name="via",
            field=models.CharField(default="signal", help_text="signal or update", max_length=10),
        ),
        migrations.AddField(
            model_name="feedevent",
            name="namespace",
            field=models.CharField(blank=True, help_text="of its entry", max_length=500),
        ),
        migrations.AddField(
            model_name="question",
            name="assigned_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="question",
            name="assignee",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="question",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="question",
            name="escalated_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="question",
            name="escalates_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="question",
            name="follow_up_at",
            field=models.DateTimeField(blank=True, help_text="hidden until then", null=True),
        ),
        migrations.AddField(
            model_name="question",
            name="key",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="question",
            name="lapses_at",
            field=models.DateTimeField(blank=True, help_text="when the claim ends by itself", null=True),
        ),
        migrations.AddField(
            model_name="question",
            name="namespace",
            field=models.CharField(blank=True, help_text="of the run's entry", max_length=500),
        ),
        migrations.AddField(
            model_name="question",
            name="nearest_at",
            field=models.DateTimeField(
                default=datetime.datetime(9999, 12, 31, 0, 0, tzinfo=datetime.UTC),
                help_text="the nearer of deadline and due date",
            ),
        ),
        migrations.AddField(
            model_name="question",
            name="options",
            field=models.JSONField(default=dict, help_text="escalate, lapse, guest, notify: as declared"),
        ),
        migrations.AddField(
            model_name="question",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("answered", "Answered"),
                    ("elsewhere", "Answered from elsewhere"),
                    ("defaulted", "Answered by its deadline"),
                    ("expired", "Expired"),
                    ("withdrawn", "Withdrawn"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="question",
            name="outcome_text",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="question",
            name="priority",
            field=models.PositiveSmallIntegerField(default=50, help_text="0 to 100; the highest comes first"),
        ),
        migrations.AddField(
            model_name="question",
            name="search",
            field=models.TextField(blank=True, help_text="what a search looks through, in lower case"),
        ),
        migrations.AddField(
            model_name="question",
            name="signals",
            field=models.JSONField(default=list, help_text="the answers that may be given, as declared"),
        ),
        migrations.AddField(
            model_name="question",
            name="text",
            field=models.TextField(blank=True, help_text="Markdown"),
        ),
        migrations.AddField(
            model_name="question",
            name="title",
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name="question",
            name="waits",
            field=models.JSONField(default=list, help_text="list of [topic, messages taken from it before]"),
        ),
        migrations.AddField(
            model_name="questionrole",
            name="user",
            field=models.CharField(blank=True, max_length=150),
        ),
        migrations.AddField(
            model_name="run",
            name="namespace",
            field=models.CharField(blank=True, help_text="of its entry; blank for other systems' runs", max_length=500),
        ),
        migrations.AlterField(
            model_name="question",
            name="deadline",
            field=models.DateTimeField(blank=True, help_text="the run's nearest timer", null=True),
        ),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(fields=["run", "closed_at"], name="wippy_conso_run_id_9021cc_idx"),
        ),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(
                condition=models.Q(("closed_at", None), ("outcome", "")),
                fields=["-priority", "nearest_at", "id"],
                name="question_open",
            ),
        ),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(
                condition=models.Q(("closed_at", None), ("outcome", "")),
                fields=["namespace", "-priority", "nearest_at", "id"],
                name="question_room",
            ),
        ),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(
                condition=models.Q(("closed_at", None), ("outcome", "")),
                fields=["assignee", "-priority", "nearest_at", "id"],
                name="question_mine",
            ),
        ),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(
                condition=models.Q(
                    ("closed_at", None), ("escalated_at", None), ("escalates_at__isnull", False), ("outcome", "")
                ),
                fields=["escalates_at"],
                name="question_escalates",
            ),
        ),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(
                condition=models.Q(("closed_at", None), ("outcome", "")), fields=["due_at"], name="question_due"
            ),
        ),
        migrations.AddIndex(
            model_name="question",
            index=models.Index(
                condition=models.Q(("closed_at", None), ("outcome", "")), fields=["lapses_at"], name="question_lapses"
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(fields=["namespace", "-started_at", "-run_id"], name="run_room"),
        ),
        migrations.RunPython(name_rooms, migrations.RunPython.noop),
        migrations.RunPython(name_questions, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.UniqueConstraint(fields=("run", "key"), name="one_question_per_wait"),
        ),
        migrations.AddConstraint(
            model_name="questionrole",
            constraint=models.UniqueConstraint(fields=("question", "role", "user"), name="one_row_per_candidate"),
        ),
        migrations.AddIndex(
            model_name="auditrow",
            index=models.Index(fields=["user", "-id"], name="wippy_conso_user_e98c6d_idx"),
        ),
        migrations.AddIndex(
            model_name="auditrow",
            index=models.Index(fields=["action", "-id"], name="wippy_conso_action_ce4e08_idx"),
        ),
        migrations.AddIndex(
            model_name="auditrow",
            index=models.Index(fields=["entry_id", "-id"], name="wippy_conso_entry_i_b3efdf_idx"),
        ),
        migrations.AddIndex(
            model_name="auditrow",
            index=models.Index(fields=["run_id", "-id"], name="wippy_conso_run_id_8d82a2_idx"),
        ),
        migrations.AddIndex(
            model_name="auditrow",
            index=models.Index(fields=["namespace", "-id"], name="wippy_conso_namespa_4636fb_idx"),
        ),
        migrations.AddIndex(
            model_name="auditrow",
            index=models.Index(fields=["-at"], name="wippy_conso_at_7a7407_idx"),
        ),
        migrations.AddField(
            model_name="comment",
            name="question",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="comments", to="wippy_console.question"
            ),
        ),
        migrations.AddField(
            model_name="comment",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="grant",
            name="group",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="auth.group"
            ),
        ),
        migrations.AddField(
            model_name="guestlink",
            name="question",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="guests", to="wippy_console.question"
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="question",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="wippy_console.question",
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="run",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="wippy_console.run",
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="vote",
            name="question",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="votes", to="wippy_console.question"
            ),
        ),
        migrations.AddField(
            model_name="vote",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(fields=("group", "pattern"), name="one_grant_per_pattern"),
        ),
        migrations.AddConstraint(
            model_name="guestlink",
            constraint=models.UniqueConstraint(fields=("question", "address"), name="one_link_per_guest"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(condition=models.Q(("state", "queued")), fields=["next_at"], name="notification_queued"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["state", "-created_at"], name="wippy_conso_state_41dab2_idx"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["user", "-created_at"], name="wippy_conso_user_id_cc2f91_idx"),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(fields=("fact", "method", "address"), name="one_notification_per_fact"),
        ),
        migrations.AddConstraint(
            model_name="vote",
            constraint=models.UniqueConstraint(fields=("question", "user"), name="one_vote_per_user"),
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
