"""Programs that must not run on a host until somebody lifts it."""

from django.db import migrations, models

from wippy_console.permissions import make_groups


class Migration(migrations.Migration):
    dependencies = [
        ("wippy_console", "0007_waiting_totals"),
    ]

    operations = [
        migrations.CreateModel(
            name="Quarantine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("entry_id", models.CharField(max_length=500)),
                ("kind", models.CharField(help_text="function, process or workflow", max_length=20)),
                ("digest", models.CharField(max_length=64)),
                ("host", models.CharField(help_text="entry id of the process.host or temporal.worker", max_length=500)),
                ("pid", models.CharField(blank=True, max_length=2000)),
                ("node", models.CharField(blank=True, max_length=100)),
                ("seconds", models.FloatField(help_text="processor time of the step, as far as it was seen")),
                ("at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                ("lifted_by", models.CharField(blank=True, max_length=150)),
            ],
            options={
                "ordering": ["-at"],
                "permissions": [("lift_quarantine", "Can let a quarantined program run again")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)), fields=("digest", "host"), name="one_active_quarantine"
                    )
                ],
            },
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
