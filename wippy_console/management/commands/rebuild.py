"""`manage.py rebuild`: makes the rows of runs again from Temporal."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from temporalio.service import RPCError

from engine.errors import UnitFailed
from engine.hosts.temporal.wire import failures
from wippy_console.services import temporal
from wippy_console.services.projection import describe_all
from wippy_console.services.reconciler import rebuild
from wippy_console.services.registry import DatabaseCatalog
from wippy_console.worker.temporal.clients import ClientPool


class Command(BaseCommand):
    """Fetch every execution that Temporal still has."""

    help = "Makes the rows of runs, questions and archived histories again from what Temporal has. Safe at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many runs were written."""
        catalog = DatabaseCatalog()
        try:
            describe_all(catalog)
            count = asyncio.run(rebuild(catalog, ClientPool(catalog, temporal.environ(), "wippy rebuild")))
        except (UnitFailed, RPCError) as error:
            raise CommandError(f"{failures.from_exception(error).message}: nothing more was rebuilt") from error
        finally:
            catalog.close()
        self.stdout.write(f"{count} runs written")
