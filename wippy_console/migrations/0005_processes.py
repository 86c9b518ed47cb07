"""Processes as rows, and how the hosts of a node stand."""

import django.db.models.deletion
from django.db import migrations, models

from wippy_console.permissions import make_groups


class Migration(migrations.Migration):
    dependencies = [
        ("wippy_console", "0004_fleet"),
    ]

    operations = [
        migrations.AddField(
            model_name="node",
            name="hosts",
            field=models.JSONField(default=list),
        ),
        migrations.CreateModel(
            name="Process",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pid", models.CharField(max_length=1200)),
                ("entry_id", models.CharField(max_length=500)),
                ("host_id", models.CharField(max_length=500)),
                ("kind", models.CharField(max_length=20)),
                ("parent", models.CharField(blank=True, max_length=600)),
                ("names", models.JSONField(default=list)),
                ("name_text", models.TextField(blank=True)),
                ("links", models.JSONField(default=list)),
                ("watchers", models.JSONField(default=list)),
                ("state", models.CharField(max_length=20)),
                ("mailbox", models.PositiveIntegerField(default=0)),
                ("mailbox_limit", models.PositiveIntegerField(default=0)),
                ("started_at", models.DateTimeField()),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="processes", to="wippy_console.node"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "processes",
                "ordering": ["started_at", "id"],
                "indexes": [
                    models.Index(fields=["pid"], name="process_pid"),
                    models.Index(fields=["parent"], name="process_parent"),
                    models.Index(fields=["started_at", "id"], name="process_started"),
                ],
                "constraints": [models.UniqueConstraint(fields=("node", "pid"), name="one_process_per_pid")],
            },
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
