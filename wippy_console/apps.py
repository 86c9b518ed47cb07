"""Wiring: the app and its system checks."""

from __future__ import annotations

from django.apps import AppConfig


class WippyConsoleConfig(AppConfig):
    """The console."""

    name = "wippy_console"
    verbose_name = "Wippy Console"

    def ready(self) -> None:
        """Register the checks of a combination of settings."""
        from wippy_console import checks  # noqa: F401, PLC0415 - registers on import
