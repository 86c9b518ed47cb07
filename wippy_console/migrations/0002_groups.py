"""Make the groups viewer, operator, author and administrator with their permissions."""

from __future__ import annotations

from django.db import migrations

from wippy_console.permissions import make_groups


class Migration(migrations.Migration):
    """Idempotent; unapplying it leaves the groups, since people may be in them."""

    dependencies = [
        ("wippy_console", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
