"""What people typed and have not sent."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from wippy_console.permissions import make_groups


class Migration(migrations.Migration):
    dependencies = [
        ("wippy_console", "0010_states"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Draft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.TextField()),
                ("digest", models.CharField(max_length=64)),
                ("content", models.TextField()),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("typed", "typed, not sent"),
                            ("refused", "sent and refused"),
                            ("ended", "sent without a session"),
                            ("old", "sent from an old page"),
                        ],
                        default="typed",
                        max_length=20,
                    ),
                ),
                ("saved_at", models.DateTimeField(db_index=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-saved_at"],
                "constraints": [models.UniqueConstraint(fields=("user", "digest"), name="one_draft_per_form")],
            },
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
