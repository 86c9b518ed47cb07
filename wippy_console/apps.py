"""Wiring: the app and its system checks."""

from __future__ import annotations

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
