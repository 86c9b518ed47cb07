"""Make the groups viewer, operator, author and administrator with their permissions."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

from wippy_console.permissions import APP, install_groups


def make_groups(apps: Any, schema_editor: Any) -> None:
    """Django makes permissions only after all migrations, so make them here first."""
    alias = schema_editor.connection.alias
    for label in ("auth", APP):
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, verbosity=0, using=alias, apps=apps)
        config.models_module = None
    install_groups(apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"))


class Migration(migrations.Migration):
    """Idempotent; unapplying it leaves the groups, since people may be in them."""

    dependencies = [
        ("wippy_console", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
