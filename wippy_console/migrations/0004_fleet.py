"""The machine of a node, and what one node of a fleet has alone."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from wippy_console.permissions import make_groups


class Migration(migrations.Migration):
    dependencies = [
        ("wippy_console", "0003_service_states"),
    ]

    operations = [
        migrations.AddField(
            model_name="node",
            name="machine",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.CreateModel(
            name="Claim",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("name", "Name"), ("service", "Service")], max_length=10)),
                ("key", models.CharField(max_length=500)),
                ("pid", models.CharField(blank=True, default="", max_length=2000)),
                ("since", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="claims", to="wippy_console.node"
                    ),
                ),
            ],
            options={
                "ordering": ["kind", "key"],
                "constraints": [models.UniqueConstraint(fields=("kind", "key"), name="one_holder_in_the_fleet")],
            },
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
