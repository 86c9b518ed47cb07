"""`manage.py web`: one web process."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from wippy_console.supervision.web import serve


class Command(BaseCommand):
    """Serve the console; any number of web processes may run behind a proxy."""

    help = "Serves the console on WIPPY_BIND and PORT; any number of web processes may run behind a proxy."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--fd", type=int, help="an inherited listening socket to serve on instead")

    def handle(self, *_: Any, **options: Any) -> None:
        """Serve until SIGTERM."""
        serve(options["fd"])
