"""PostgreSQL finds `shop.*` by an index of bytes alone: its other indexes are in the order of a language."""

from django.db import migrations

TABLES = {
    "run": "started_at DESC, run_id DESC",
    "question": "priority DESC, nearest_at, id",
    "feedevent": "id",
    "auditrow": "id DESC",
}


def make(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name, then in TABLES.items():
            schema_editor.execute(
                f"CREATE INDEX {name}_room_like ON wippy_console_{name} (namespace varchar_pattern_ops, {then})"
            )


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in TABLES:
            schema_editor.execute(f"DROP INDEX {name}_room_like")


class Migration(migrations.Migration):
    dependencies = [("wippy_console", "0018_alerts")]

    operations = [migrations.RunPython(make, drop)]
