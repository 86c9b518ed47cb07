"""The console on a database of the benchmark's own."""

from __future__ import annotations

import os
from typing import Any


def prepared(folder: str) -> Any:
    """A client of an operator, on a database of its own."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "wippy_console.settings", "WIPPY_DATA": folder}
    os.environ.pop("DATABASE_URL", None)
    import django  # noqa: PLC0415

    django.setup()
    from django.conf import settings  # noqa: PLC0415
    from django.contrib.auth.models import Group, User  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    settings.ALLOWED_HOSTS = ["testserver", "127.0.0.1"]
    call_command("migrate", verbosity=0)
    olga = User.objects.create_user("olga")
    olga.groups.set([Group.objects.get(name="operator"), Group.objects.create(name="approvers")])
    client = Client()
    client.force_login(olga)
    return client
