"""How many things a run waits for, by kind: the list of them is bounded."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wippy_console", "0006_tokens"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="waiting_totals",
            field=models.JSONField(default=dict, help_text="how many there are by kind: engine.steps.Waits"),
        ),
        migrations.AlterField(
            model_name="run",
            name="waiting",
            field=models.JSONField(
                default=list, help_text="list of {kind, name, seq, deadline}: engine.steps.Wait; the first"
            ),
        ),
    ]
