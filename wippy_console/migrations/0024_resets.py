from django.db import migrations, models

from wippy_console.permissions import make_groups


class Migration(migrations.Migration):
    dependencies = [("wippy_console", "0023_unmasking")]

    operations = [
        migrations.AlterModelOptions(
            name="run",
            options={
                "ordering": ["-started_at", "-run_id"],
                "permissions": [
                    ("start_run", "Can start a run"),
                    ("signal_run", "Can answer a run's declared signals"),
                    ("raw_signal_run", "Can send a run any signal"),
                    ("cancel_run", "Can request a run's cancellation"),
                    ("terminate_run", "Can terminate a run"),
                    ("reset_run", "Can reset a run to an earlier step"),
                    ("unmask_values", "Can see masked values"),
                ],
            },
        ),
        migrations.AlterField(
            model_name="decision",
            name="action",
            field=models.CharField(default="signal", help_text="signal, cancel, terminate or reset", max_length=20),
        ),
        migrations.RunPython(make_groups, migrations.RunPython.noop),
    ]
