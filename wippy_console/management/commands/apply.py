"""`manage.py apply DIR`: a tree of YAML and Lua files becomes one registry version."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from engine.registry.changes import Changes
from engine.registry.problems import errors_in, warnings_in
from wippy_console.management.disk import Folder, FolderError
from wippy_console.management.operations import operator
from wippy_console.models import Version
from wippy_console.services import registry
from wippy_console.services.errors import Refused
from wippy_console.services.registry import Edited, Plan


class Command(BaseCommand):
    """Validate a tree of entries as a whole, and publish what differs as one version."""

    help = "Makes one registry version of a tree of YAML and Lua files, or says everything that is wrong with it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("dir", type=Path, metavar="DIR", help="the folder that holds _index.yaml files")
        parser.add_argument("--check", action="store_true", help="validate only, change nothing")
        parser.add_argument(
            "--prune", action="store_true", help="delete what DIR does not hold, in the namespaces that it holds"
        )
        parser.add_argument(
            "--leave-out", action="append", default=[], metavar="NAME", help="a folder of DIR that is not looked at"
        )
        edits = parser.add_mutually_exclusive_group()
        edits.add_argument(
            "--force", action="store_const", dest="edits", const="take", default="refuse",
            help="overwrite entries that were changed in the console, or by code, since they were applied",
        )  # fmt: skip
        edits.add_argument(
            "--keep-edited", action="store_const", dest="edits", const="keep", help="leave such entries as they are"
        )
        parser.add_argument("-m", "--message", default="", help="why; kept with the version")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        """Read, compare, validate, publish, and tell."""
        try:
            plan = _plan(Folder(options["dir"], options["leave_out"]), options)
            failed = bool(errors_in(plan.problems))
            publishes = plan.changes and not options["check"] and not failed
            version = _publish(plan, options["message"] or f"apply {options['dir']}") if publishes else None
        except (Refused, FolderError, DatabaseError) as error:
            self._fail(str(error), options)
        self._report(plan, version, options)
        if failed:
            raise CommandError(_printable(_summary(plan, None, options)))

    def _fail(self, message: str, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({"ok": False, "error": message}))
        raise CommandError(_printable(f"{options['dir']}: {message}"))

    def _report(self, plan: Plan, version: Version | None, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(plan, version, options)))
            return
        errors = errors_in(plan.problems)
        for problem in errors:
            self.stderr.write(_printable(str(problem)))
        for problem in warnings_in(plan.problems):
            self.stderr.write(_printable(f"warning: {problem}"))
        for edited in plan.edited:
            self._report_edited(edited, options)
        if not errors:
            self._report_changes(plan.changes, "" if version else "would be ")
            self.stdout.write(_printable(_summary(plan, version, options)))

    def _report_edited(self, edited: Edited, options: dict[str, Any]) -> None:
        if options["edits"] == "keep":
            self.stdout.write(_printable(f"kept {edited.entry_id} as {edited.publisher} left it"))
        for line in edited.difference.splitlines():
            self.stderr.write(_printable(f"  {line}"))

    def _report_changes(self, changes: Changes, mood: str) -> None:
        for word, ids in _ids(changes).items():
            for each in ids:
                self.stdout.write(_printable(f"{mood}{word} {each}"))


def _publish(plan: Plan, message: str) -> Version:
    return registry.apply(operator(), plan, message)


def _plan(folder: Folder, options: dict[str, Any]) -> Plan:
    """The plan of a folder, with its problems under the paths that the user can open."""
    plan = registry.plan(folder, prune=options["prune"], edits=options["edits"])
    root: Path = options["dir"]
    problems = tuple(replace(each, file=str(root / each.file)) if each.file else each for each in plan.problems)
    return replace(plan, problems=problems)


def _printable(text: str) -> str:
    """The text without what a terminal would obey or could not encode: names in a tree may hold anything."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _ids(changes: Changes) -> dict[str, list[str]]:
    return {
        "created": [each.id for each in changes.create],
        "updated": [each.id for each in changes.update],
        "deleted": list(changes.delete),
    }


def _summary(plan: Plan, version: Version | None, options: dict[str, Any]) -> str:
    errors = len(errors_in(plan.problems))
    counts = [f"{len(ids)} {word}" for word, ids in _ids(plan.changes).items()]
    summary = ", ".join([*counts, f"{plan.unchanged} unchanged"])
    if errors:
        return f"{options['dir']}: {errors} problem{'' if errors == 1 else 's'}, nothing was changed."
    if version is not None:
        return f"Version {version.number}: {summary}."
    if not plan.changes:
        return f"Nothing changed: version {plan.base} holds all {plan.unchanged} entries already."
    return f"Valid; it would be: {summary}."


def _as_json(plan: Plan, version: Version | None, options: dict[str, Any]) -> dict[str, Any]:
    errors = errors_in(plan.problems)
    return {
        "ok": not errors,
        "check": options["check"],
        "version": version.number if version else plan.base,
        "published": version is not None,
        **_ids(plan.changes),
        "unchanged": plan.unchanged,
        "problems": [each.to_json() for each in errors],
        "edited": [asdict(each) for each in plan.edited],
        "warnings": [each.to_json() for each in warnings_in(plan.problems)],
        **({"error": _summary(plan, version, options)} if errors else {}),
    }
