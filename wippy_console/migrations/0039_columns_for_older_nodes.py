"""Nodes of the version before write rows without the columns that they do not know."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wippy_console", "0038_answers_of_code"),
    ]

    operations = [
        migrations.AlterField(
            model_name="node",
            name="functions",
            field=models.JSONField(db_default={}, default=dict, help_text="that its code declares: id to digest"),
        ),
        migrations.AlterField(
            model_name="outgoing",
            name="label",
            field=models.CharField(
                blank=True, db_default="", help_text="of an answer: which of several of its topic", max_length=200
            ),
        ),
        migrations.AlterField(
            model_name="outgoing",
            name="reason",
            field=models.TextField(blank=True, db_default="", help_text="of an answer"),
        ),
        migrations.AlterField(
            model_name="process",
            name="doing",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AlterField(
            model_name="process",
            name="operations",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
