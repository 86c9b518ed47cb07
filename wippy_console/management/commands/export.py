"""`manage.py export DIR`: the registry as a tree of YAML and Lua files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from engine.registry.exporting import Exported, ExportError
from engine.registry.problems import Problem
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
            version, made = registry.export(Folder(folder) if folder.exists() else {})
            if not options["check"]:
                write_all(folder, made.files)
        except ExportError as error:
            raise CommandError(f"{_told(error.problems)}\n{folder}: {error}; export into an empty folder") from error
        except (FolderError, UnreadableError, OSError, DatabaseError) as error:
            raise CommandError(f"{folder}: {error}") from error
        self._report(version, made, options)
        if made.refused:
            count = len(made.refused)
            lacks = f"does not hold version {version}: {count} {'entry is' if count == 1 else 'entries are'} left out"
            raise CommandError(f"{_told(made.refused)}\n{folder} {lacks}")

    def _report(self, version: int, made: Exported, options: dict[str, Any]) -> None:
        deleted = sorted(path for path, text in made.files.items() if text is None)
        written = sorted(path for path, text in made.files.items() if text is not None)
        if options["json"]:
            refused = [each.to_json() for each in made.refused]
            told = {"version": version, "written": written, "deleted": deleted, "refused": refused}
            self.stdout.write(json.dumps(told))
            return
        mood = "would be " if options["check"] else ""
        for word, paths in (("written", written), ("deleted", deleted)):
            for path in paths:
                self.stdout.write(f"{mood}{word} {path}")
        if not made.refused:
            holds = "would hold" if mood else "holds"
            self.stdout.write(f"{options['dir']} {holds} version {version} of the registry.")


def _told(problems: Iterable[Problem]) -> str:
    return "\n".join(map(str, problems))
