"""`manage.py audit`: prints what people did, or verifies that nobody changed it since."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from wippy_console.management.operations import ReadingCommand, reader
from wippy_console.services import audit
from wippy_console.services.errors import Refused

MOST_BREAKS = 20


class Command(ReadingCommand):
    """The newest rows, or the state of the chain."""

    help = "Prints what people did, newest first; --verify checks the chain of hashes and fails where it breaks."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        super().add_arguments(parser)
        parser.add_argument("--verify", action="store_true", help="check all rows, and print the last hash")
        parser.add_argument("--user", default="")
        parser.add_argument("--action", default="", choices=["", *audit.ACTIONS])
        parser.add_argument("--entry", default="")
        parser.add_argument("--run", default="", help="a run id or workflow id")
        parser.add_argument("--limit", type=int, default=50)

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Read or verify."""
        if options["limit"] < 1:
            raise Refused("--limit is 1 or more.", {"limit": ["1 or more."]})
        if options["verify"]:
            return _verified()
        names = ("user", "action", "entry", "run")
        filters = audit.Filters(**{name: options[name] for name in names})
        page = audit.page(reader(options["acts_for"]), filters, limit=options["limit"])
        return {"rows": [_row(each) for each in page.rows]}

    def text(self, data: dict[str, Any]) -> str:
        """A line for each row or break."""
        if "rows" in data:
            return "\n".join(map(_line, data["rows"])) or "nothing"
        broken = [f"row {each['row']}: {each['what']}" for each in data["breaks"]]
        return "\n".join([*broken, f"{data['checked']} rows, last hash {data['last'] or '-'}"])


def _verified() -> dict[str, Any]:
    rows = audit.visible(reader())
    breaks = [{"row": each.row, "what": each.what} for each in audit.verify(rows)]
    last = rows.order_by("-id").values_list("hash", flat=True).first() or ""
    found: dict[str, Any] = {"checked": rows.count(), "breaks": breaks[:MOST_BREAKS], "last": last}
    return {**found, "error": f"the chain breaks in {len(breaks)} places"} if breaks else found


def _row(row: Any) -> dict[str, Any]:
    names = ("id", "user", "action", "entry_id", "workflow_id", "run_id", "label", "outcome", "data", "hash")
    return {"at": row.at.isoformat(), **{name: getattr(row, name) for name in names}, "event": row.event_id}


def _line(row: dict[str, Any]) -> str:
    about = " ".join(filter(None, (row["label"], row["entry_id"], row["workflow_id"], row["outcome"])))
    return f"{row['at']}  {row['user']}  {row['action']}  {about}"
