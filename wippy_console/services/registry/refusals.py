"""Why a change of the registry is refused."""

from __future__ import annotations

from collections.abc import Sequence

from engine.registry.problems import Problem, errors_in
from wippy_console.models import Revision
from wippy_console.services.errors import Conflict, Refused

SHOWN = 3


class ChangesRefused(Refused):
    """The registry would not be sound after the change; `problems` holds all, warnings included."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = errors_in(problems)
        count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems, the first"
        fields: dict[str, list[str]] = {}
        for problem in errors:
            fields.setdefault(problem.field, []).append(problem.message)
        super().__init__(f"{count}: {errors[0]}", fields)
        self.problems = list(problems)


class StaleBaseError(Conflict):
    """Somebody changed the same entries meanwhile; `revisions` are the ones that were faster."""

    def __init__(self, base: int, revisions: Sequence[Revision]) -> None:
        described = "; ".join(_described(revision) for revision in revisions[:SHOWN])
        more = f"; and {len(revisions) - SHOWN} more" if len(revisions) > SHOWN else ""
        super().__init__(f"{described}{more}. Your change began with version {base}.")
        self.base = base
        self.revisions = list(revisions)


class NotAsSeen(Refused):
    """The entry is not as the one who changes it says that it is."""

    status = 412


class ForbiddenError(Refused):
    """Lua code may not publish these `entries`."""

    status = 403

    def __init__(self, entries: Sequence[str]) -> None:
        super().__init__(f"Lua code may not publish {', '.join(entries)}.")
        self.entries = list(entries)


def _described(revision: Revision) -> str:
    version = revision.version
    did = "deleted" if revision.deleted else "changed"
    when = f"{version.created_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{revision.entry_id} was {did} in version {version.number} by {version.publisher} at {when}"
