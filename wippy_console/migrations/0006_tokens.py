"""Tokens of Lua's token stores."""

import django.utils.timezone
from django.db import migrations, models

from wippy_console.permissions import make_groups


class Migration(migrations.Migration):
    dependencies = [
        ("wippy_console", "0005_processes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("store", models.CharField(max_length=500)),
                ("digest", models.CharField(max_length=64)),
                ("actor", models.JSONField()),
                ("scope", models.JSONField()),
                ("meta", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_ns", models.BigIntegerField(db_index=True)),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [models.UniqueConstraint(fields=("store", "digest"), name="one_token_per_digest")],
            },
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
