"""`manage.py up`: everything on one machine."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from wippy_console.supervision.report import JsonReport, Report, TextReport
from wippy_console.supervision.up import CannotStart, up


class Command(BaseCommand):
    """Prepare the installation, start Temporal, web and worker, and keep them running."""

    help = "Prepares the installation, starts Temporal, web and worker, and keeps them running until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--examples", action=BooleanOptionalAction, default=settings.ENVIRONMENT.examples,
            help="whether to load examples/; the choice is kept in the data folder (default: yes)",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="tell the progress as one JSON object per line")

    def handle(self, *_: Any, **options: Any) -> None:
        """Run until stopped."""
        report: Report = JsonReport(self.stdout) if options["json"] else TextReport(self.stdout)
        try:
            up(settings.ENVIRONMENT, report, examples=options["examples"])
        except CannotStart as error:
            raise CommandError(str(error)) from error
