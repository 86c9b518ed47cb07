"""How people want lists to be: named filters, and what each chose for a page."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from wippy_console.permissions import make_groups


class Migration(migrations.Migration):
    dependencies = [
        ("wippy_console", "0021_done_questions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("shared", models.BooleanField(default=False)),
                (
                    "page",
                    models.CharField(choices=[("runs", "Runs"), ("live", "Live"), ("inbox", "Inbox")], max_length=20),
                ),
                ("name", models.CharField(max_length=100)),
                ("query", models.TextField(blank=True)),
                ("columns", models.JSONField(blank=True, default=list)),
                ("saved_at", models.DateTimeField(auto_now=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["name", "pk"],
                "permissions": [("share_savedview", "Can share saved views")],
            },
        ),
        migrations.CreateModel(
            name="ListSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "page",
                    models.CharField(choices=[("runs", "Runs"), ("live", "Live"), ("inbox", "Inbox")], max_length=20),
                ),
                ("columns", models.JSONField(blank=True, default=list, help_text="empty: the usual ones")),
                ("dense", models.BooleanField(default=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "opens_with",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wippy_console.savedview",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="savedview",
            index=models.Index(condition=models.Q(("shared", True)), fields=["page", "name"], name="view_shared"),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(fields=("owner", "page", "name"), name="one_view_of_a_name"),
        ),
        migrations.AddConstraint(
            model_name="listsettings",
            constraint=models.UniqueConstraint(fields=("user", "page"), name="one_setting_per_page"),
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
