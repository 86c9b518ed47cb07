"""`manage.py export DIR`: the registry as a tree of YAML and Lua files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from engine.registry.exporting import ExportError
from engine.registry.tree import UnreadableError
from wippy_console.management.disk import Folder, FolderError, write_all
from wippy_console.services import registry


class Command(BaseCommand):
    """Write what differs, so that applying the folder changes nothing."""

    help = (
        "Writes the registry into a folder, as `apply` reads it. Files that are there are changed where they differ: "
        "comments stay, and entries that are gone from the registry go."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("dir", type=Path, metavar="DIR", help="the folder; it is made when it is not there")
        parser.add_argument("--check", action="store_true", help="say what would be written, and write nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        """Compare, write, tell."""
        folder: Path = options["dir"]
        try:
            version, files = registry.export(Folder(folder) if folder.exists() else {})
            if not options["check"]:
                write_all(folder, files)
        except ExportError as error:
            told = "\n".join(str(each) for each in error.problems)
            raise CommandError(f"{told}\n{folder}: can't be read as a whole; export into an empty folder") from error
        except (FolderError, UnreadableError, OSError, DatabaseError) as error:
            raise CommandError(f"{folder}: {error}") from error
        self._report(version, files, options)

    def _report(self, version: int, files: dict[str, str | None], options: dict[str, Any]) -> None:
        deleted = sorted(path for path, text in files.items() if text is None)
        written = sorted(path for path, text in files.items() if text is not None)
        if options["json"]:
            self.stdout.write(json.dumps({"version": version, "written": written, "deleted": deleted}))
            return
        mood = "would be " if options["check"] else ""
        for word, paths in (("written", written), ("deleted", deleted)):
            for path in paths:
                self.stdout.write(f"{mood}{word} {path}")
        holds = "would hold" if mood else "holds"
        self.stdout.write(f"{options['dir']} {holds} version {version} of the registry.")
