"""Runs are found by any part of what is said of them: at first their ids; the leading worker adds keys and titles."""

from django.db import migrations, models

import wippy_console.models.runs
from wippy_console.database import texts
from wippy_console.models.runs import SEARCHED, lines

IDS = ["run_id", "workflow_id", "entry_id"]
BATCH = 5000


def fill(apps, schema_editor):
    """In the order of keys, and by plain updates: of a million rows it takes minutes."""
    rows = apps.get_model("wippy_console", "Run").objects.using(schema_editor.connection.alias)
    last = ""
    while some := list(rows.filter(pk__gt=last).order_by("pk").values_list(*IDS)[:BATCH]):
        last = some[-1][0]
        found = [(lines([workflow_id, run_id, entry_id]), run_id) for run_id, workflow_id, entry_id in some]
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany("UPDATE wippy_console_run SET search = %s WHERE run_id = %s", found)


def install(apps, schema_editor):
    texts.install(schema_editor.connection, SEARCHED)


def remove(apps, schema_editor):
    texts.remove(schema_editor.connection, SEARCHED)


class Migration(migrations.Migration):
    dependencies = [("wippy_console", "0025_watching")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="keys",
            field=models.JSONField(
                blank=True, help_text="business keys by path: meta.search; empty until known", null=True
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="search",
            field=wippy_console.models.runs.SearchField(
                blank=True, editable=False, help_text="what is searched: lines, folded"
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="summary",
            field=models.CharField(blank=True, help_text="one line of meta.summary", max_length=200),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("keys__isnull", True)), fields=["-started_at"], name="run_undescribed"
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(install, remove),
    ]
