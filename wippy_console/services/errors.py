"""What services refuse, and the HTTP status that a page answers with.

A missing permission is Django's `PermissionDenied` (403).
"""

from __future__ import annotations

from collections.abc import Mapping

from wippy_console.services.exact import Path


class Refused(Exception):
    """A request can't be carried out; `message` says why in one sentence for the person who asked.

    `named` maps fields of a form to their errors, `paths` places in a JSON value that was given, () = the whole.
    `fields` has both by name, places dotted, for whoever only tells of them.
    """

    status = 422

    def __init__(
        self,
        message: str,
        fields: Mapping[str, list[str]] | None = None,
        paths: Mapping[Path, list[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.named: dict[str, list[str]] = dict(fields or {})
        self.paths: dict[Path, list[str]] = dict(paths or {})

    @property
    def fields(self) -> dict[str, list[str]]:
        """All errors by name; names of properties with dots make this ambiguous."""
        dotted = {".".join(str(part) for part in path): texts for path, texts in self.paths.items()}
        return {**dotted, **{name: [*texts, *dotted.get(name, [])] for name, texts in self.named.items()}}


class Conflict(Refused):
    """Somebody or something was faster; the message names the winner."""

    status = 409


class RunEnded(Conflict):
    """The run itself takes nothing any more; of its workflow another run may be open."""


class NotFoundError(Refused):
    """There is no such thing, or the asker may not know of it."""

    status = 404


class Unavailable(Refused):
    """A part that the request needs does not answer now, Temporal for example."""

    status = 503


class NoVerdict(Unavailable):
    """The run has an answer and has not said yet what it makes of it; all else answers."""
