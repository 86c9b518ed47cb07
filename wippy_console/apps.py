"""Wiring: the app and its system checks."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class WippyConsoleConfig(AppConfig):
    """The console."""

    name = "wippy_console"
    verbose_name = "Wippy Console"

    def ready(self) -> None:
        """Register the system checks, and end with the supervisor when there is one."""
        from wippy_console import checks  # noqa: F401, PLC0415 - registers on import
        from wippy_console.supervision.children.parent import watch_parent  # noqa: PLC0415 - needs no apps, but keeps them light

        watch_parent()
        _note_logins()
        _keep_indexes(self)
        _follow_versions()
        _declare_functions()


def _note_logins() -> None:
    """Tell the audit when somebody logs in who may change something for others."""
    from django.contrib.auth.signals import user_logged_in  # noqa: PLC0415

    def note(request: Any, user: Any, **_: Any) -> None:
        from wippy_console.services import audit, senders  # noqa: PLC0415 - needs the models

        audit.note_login(user, senders.address(request.META) if request is not None else "")

    user_logged_in.connect(note, weak=False, dispatch_uid="wippy audit")


def _declare_functions() -> None:
    """Import the module `functions` of each app of the installation, for what it declares (`sdk.function`)."""
    from importlib import import_module  # noqa: PLC0415

    from wippy_console.http import app_pages  # noqa: PLC0415

    for config in app_pages.added():
        if app_pages.has(config, "functions"):
            import_module(f"{config.name}.functions")


def _follow_versions() -> None:
    """What a new version masks is masked at once by whoever wrote it, and by others with their next request."""
    from django.core.signals import request_started  # noqa: PLC0415
    from django.db.models.signals import post_save  # noqa: PLC0415

    from wippy_console.models import Version  # noqa: PLC0415
    from wippy_console.models.masks.declared import forget  # noqa: PLC0415

    post_save.connect(forget, sender=Version, dispatch_uid="wippy masks")
    request_started.connect(forget, dispatch_uid="wippy masks")


def _keep_indexes(app: AppConfig) -> None:
    """After each `migrate`: on SQLite a table made anew has lost its triggers; elsewhere rights may have come."""
    from django.db import connections  # noqa: PLC0415
    from django.db.models.signals import post_migrate  # noqa: PLC0415

    def install(using: str, **_: Any) -> None:
        from wippy_console.database import texts  # noqa: PLC0415
        from wippy_console.models.runs import SEARCHED  # noqa: PLC0415 - needs the models

        texts.install(connections[using], SEARCHED)

    post_migrate.connect(install, sender=app, weak=False, dispatch_uid="wippy text indexes")
