"""The columns of the list of runs: which there are, which a reader sees, and the form that chooses them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from wippy_console import permissions
from wippy_console.models import ListSettings, Run
from wippy_console.services import saved_views
from wippy_console.services.errors import Refused
from wippy_console.views.pages import needs, user_of

KEY = "key:"
LONGEST_PATH = 200


@dataclass(frozen=True, slots=True)
class Column:
    """`css` are the classes of its head and cells; `path` is that of a business key with a column of its own."""

    name: str
    word: str
    css: str = "text"
    path: str = ""

    @property
    def cell(self) -> str:
        """The template of its cells."""
        return f"runs/cells/{'key' if self.path else self.name}.html"


COLUMNS = (
    Column("status", "Status", "fit"),
    Column("what", "Workflow", "wide what"),
    Column("id", "Id", "id-cell"),
    Column("entry", "Entry"),
    Column("keys", "Keys", "wide now"),
    Column("now", "Now", "wide dim now"),
    Column("result", "Result or error", "wide now"),
    Column("started", "Started", "fit"),
    Column("closed", "Ended", "fit"),
    Column("took", "Took", "num"),
    Column("by", "Started by"),
    Column("queue", "Queue"),
    Column("version", "Version", "num"),
    Column("client", "Client"),
)
ALWAYS = ("status", "what")
"""Without these nobody could tell a row, or open it."""

USUAL = ("status", "what", "now", "started", "took")


def usual() -> list[Column]:
    """The columns of whoever chose none."""
    return [column for column in COLUMNS if column.name in USUAL]


def shown(request: HttpRequest, settings: ListSettings) -> list[Column]:
    """Those of the address, else those that the reader chose; Refused for a name that is none."""
    told = saved_views.columns_in(request.GET.get(saved_views.COLUMNS, ""))
    fixed = {column.name for column in COLUMNS}
    if wrong := next((name for name in told if name not in fixed and not _is_key(name)), ""):
        raise Refused(f"The address can't be read: there is no column {wrong[:40]}.")
    names = {*(told or settings.columns or USUAL), *ALWAYS}
    paths = [name.removeprefix(KEY) for name in told or settings.columns if _is_key(name)]
    found = [column for column in COLUMNS if column.name in names]
    at = next((index for index, column in enumerate(found) if column.name in ("now", "result", "started")), len(found))
    return [*found[:at], *map(_key, paths), *found[at:]]


def offered(columns: Iterable[Column], rows: Iterable[Run]) -> list[tuple[Column, bool]]:
    """Each that there is, and whether it is shown; of business keys those of the rows and those that are shown."""
    showing = {column.name for column in columns}
    paths = [column.path for column in columns if column.path]
    paths += [path for run in rows for path in run.keys or ()]
    every = [*COLUMNS, *(_key(path) for path in dict.fromkeys(paths))]
    return [(column, column.name in showing) for column in every if column.name not in ALWAYS]


@needs(permissions.VIEW_RUN)
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remember the columns and the density, and lead back to the list; an address that names columns names these."""
    names = {column.name for column in COLUMNS}
    wanted = [name for name in request.POST.getlist("column") if name in names or _is_key(name)]
    chosen = [] if "usual" in request.POST else wanted
    saved_views.choose(user_of(request), "runs", columns=chosen, dense="dense" in request.POST)
    fields = QueryDict(request.POST.get("query", ""), mutable=True)
    if fields.pop(saved_views.COLUMNS, None) and chosen:
        fields[saved_views.COLUMNS] = ",".join([*ALWAYS, *chosen])
    return redirect(f"{reverse('runs')}?{fields.urlencode() or f'{saved_views.MARK}=0'}")


def _is_key(name: str) -> bool:
    return name.startswith(KEY) and 0 < len(name) - len(KEY) <= LONGEST_PATH


def _key(path: str) -> Column:
    return Column(f"{KEY}{path}", path.removeprefix("$."), "text", path)
