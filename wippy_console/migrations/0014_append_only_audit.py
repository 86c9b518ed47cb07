"""Nobody changes or deletes a row of the audit, in the console or with SQL."""

from django.db import migrations

from wippy_console.database import append_only

TABLE = "wippy_console_auditrow"


def install(apps, schema_editor):
    append_only.install(schema_editor.connection, TABLE)


def remove(apps, schema_editor):
    append_only.remove(schema_editor.connection, TABLE)


class Migration(migrations.Migration):
    dependencies = [("wippy_console", "0013_votes_by_key")]

    operations = [migrations.RunPython(install, remove)]
