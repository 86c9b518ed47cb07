"""Finds processes by their rows, and asks the node about one of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from engine.contracts.operations import ProcessInfo
from engine.durations import SECOND
from engine.entry import namespace_of
from engine.pids import Pid
from wippy_console import permissions
from wippy_console.models import Process, Service
from wippy_console.models.fleet import columns_of
from wippy_console.services import fleet, grants
from wippy_console.services.errors import NotFoundError, Unavailable
from wippy_console.services.processes import nodes

PAGE = 100
# Few enough to be put in order as one tree; of more, only those without a parent, each with how many are below.
WHOLE_TREE = 2000
KIN = 50
NOT_VISIBLE = "not visible"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list: a process, how deep it stands in the tree, and how many children it has.

    `above`: it stands on the page before, and here for those below it.
    """

    process: Process
    depth: int = 0
    children: int = 0
    above: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A page of processes. `form` is tree (all), roots (those without a living parent), list (matches), or ended."""

    lines: list[Line]
    form: str
    matching: int
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Detail:
    """One process with its relatives. `stale` says why `process` is what was last written instead of what is now."""

    process: Process
    parent: Process | None
    children: list[Process]
    child_count: int
    watchers: list[str]
    service: str
    stale: str


def live() -> QuerySet[Process]:
    """The processes of nodes that are alive."""
    return Process.objects.filter(node__in=fleet.alive(), ended_at=None)


def visible(user: Any) -> QuerySet[Process]:
    """Those of entries that the user may see."""
    return grants.narrowed(live(), user, permissions.VIEW_FLEET, entry="entry_id")


def ended(user: Any) -> QuerySet[Process]:
    """What has ended and is kept of these entries, the latest first; also of nodes that are gone."""
    rows = Process.objects.filter(ended_at__isnull=False).order_by("-ended_at", "-id")
    return grants.narrowed(rows, user, permissions.VIEW_FLEET, entry="entry_id")


def known(user: Any) -> QuerySet[Process]:
    """Both."""
    rows = Process.objects.filter(Q(node__in=fleet.alive(), ended_at=None) | Q(ended_at__isnull=False))
    return grants.narrowed(rows, user, permissions.VIEW_FLEET, entry="entry_id")


def entry_of(pid: str) -> str:
    """The entry of a process, by its row or else by its node; NotFoundError, Unavailable."""
    found = Process.objects.filter(pid=pid).values_list("entry_id", flat=True).first()
    return _asked(pid, None).entry_id if found is None else found


def search(
    user: Any,
    *,
    text: str = "",
    node: str = "",
    host: str = "",
    under: str = "",
    full: bool = False,
    doing: bool = False,
    has_ended: bool = False,
    page: int = 1,
) -> Found:
    """A page of the processes: by part of a pid, entry or name, by node, by host, by parent, with full mailboxes.

    With `doing` those with operations under way, the longest first.

    Of those that run, or of those that have ended and are kept, the latest first.
    """
    permissions.require(user, permissions.VIEW_FLEET)
    if has_ended:
        rows = narrowed(ended(user).select_related("node"), text.strip(), node, host, under, False)
        return _paged(rows, rows, "ended", ended(user).count(), page, order=("-ended_at", "-id"))
    rows, total = visible(user), visible(user).count()
    if doing:
        some = narrowed(rows.filter(doing_since__isnull=False), text.strip(), node, host, under, full)
        return _paged(rows, some, "list", total, page, order=("doing_since", "id"))
    if any((text.strip(), node, host, under, full)):
        return _paged(rows, narrowed(rows, text.strip(), node, host, under, full), "list", total, page)
    if total <= WHOLE_TREE:
        return _tree_page(rows, total, page)
    parents = visible(user).filter(pid=OuterRef("parent"))
    return _paged(rows, rows.exclude(Exists(parents)), "roots", total, page)


def lasting(user: Any, at_least: timedelta, limit: int) -> list[Process]:
    """Those with an operation that has been under way so long, the longest first."""
    return list(visible(user).filter(doing_since__lte=timezone.now() - at_least).order_by("doing_since", "id")[:limit])


def hosts(of: Sequence[Any]) -> list[str]:
    """The host ids of these nodes, to filter by."""
    return sorted({host["id"] for node in of for host in node.hosts})


def services(user: Any) -> QuerySet[Service]:
    """The services, workers and clients of live nodes, what needs a look first."""
    permissions.require(user, permissions.VIEW_FLEET)
    return grants.narrowed(fleet.services(), user, permissions.VIEW_FLEET, entry="entry_id")


def get_service(user: Any, service_id: int) -> Service:
    """One of them; NotFoundError."""
    found = services(user).filter(pk=service_id).first()
    if found is None:
        raise NotFoundError("There is no such service, or its node is gone.")
    return found


def describe(user: Any, pid: str, *, now: bool = True, also_ended: bool = False) -> Detail:
    """One process, as its node sees it at this moment, or with `now` false as it was written last.

    NotFoundError when it is gone, but for `also_ended` processes that are kept. A node that does not answer leaves
    what was written.
    """
    permissions.require(user, permissions.VIEW_FLEET)
    over = Process.objects.select_related("node").filter(pid=pid, ended_at__isnull=False)
    row, stale = over.first() if also_ended else None, ""
    if row is None:
        try:
            row, stale = _running(pid, now=now)
        except NotFoundError:
            if not also_ended or (row := over.first()) is None:
                raise
    if not permissions.allows(user, permissions.VIEW_FLEET, namespace_of(row.entry_id)):
        raise NotFoundError(f"{pid} is not here: it has ended, or never was.")
    return _detail(user, row, stale)


def _running(pid: str, *, now: bool) -> tuple[Process, str]:
    """The row of one that runs, and why it is not what its node says now, where that is so."""
    row = live().select_related("node").filter(pid=pid).first()
    if row is not None and not now:
        return row, ""
    try:
        return _asked(pid, row), ""
    except Unavailable as error:
        if row is None:
            raise
        return row, error.message


def _detail(user: Any, row: Process, stale: str) -> Detail:
    hide_relatives(user, [row])
    children = known(user).filter(parent=row.pid).order_by(F("ended_at").desc(nulls_first=True), "started_at", "id")
    return Detail(
        process=row,
        parent=known(user).filter(pid=row.parent).first() if row.parent else None,
        children=list(children[:KIN]),
        child_count=children.count(),
        watchers=[each for each in row.watchers if not each.startswith("service ")],
        service=next((each.removeprefix("service ") for each in row.watchers if each.startswith("service ")), ""),
        stale=stale,
    )


def hide_relatives(user: Any, rows: Sequence[Process]) -> None:
    """Name those that the user may not see as such; the rows are not to be saved."""
    if permissions.scope(user, permissions.VIEW_FLEET).everywhere:
        return
    named = {name for row in rows for name in (row.parent, *row.links, *row.watchers)}
    seen = set(known(user).filter(pid__in=named).values_list("pid", flat=True))
    for row in rows:
        row.parent = _shown(row.parent, seen)
        row.links, row.watchers = ([_shown(each, seen) for each in names] for names in (row.links, row.watchers))


def _shown(name: str, seen: Collection[str]) -> str:
    return NOT_VISIBLE if name not in seen and (Pid.parse(name) or name.startswith("service ")) else name


def _asked(pid: str, row: Process | None) -> Process:
    """The node's own picture; in the row, which knows more of the node, where there is one."""
    node = nodes.node_of(pid)
    try:
        info = nodes.ask(lambda client: client.describe(pid, node))
    except NotFoundError:
        raise NotFoundError(f"{pid} is not here: it has ended, or never was.") from None
    process = row or Process(node=fleet.alive().get(id=node), pid=pid)
    for name, value in _columns(info).items():
        setattr(process, name, value)
    return process


def _columns(info: ProcessInfo) -> dict[str, Any]:
    same = {name: getattr(info, name) for name in ("kind", "parent", "state", "mailbox", "mailbox_limit")}
    lists = {name: list(getattr(info, name)) for name in ("names", "links", "watchers")}
    started = datetime.fromtimestamp(info.started / SECOND, UTC)
    return {
        **same,
        **lists,
        **columns_of(info.doing, info.operations),
        "entry_id": info.entry,
        "host_id": info.host,
        "started_at": started,
    }


def narrowed(rows: QuerySet[Process], text: str, node: str, host: str, under: str, full: bool) -> QuerySet[Process]:
    """Those of the rows that pass the filters of `search`."""
    if text:
        rows = rows.filter(Q(pid__icontains=text) | Q(entry_id__icontains=text) | Q(name_text__icontains=text))
    exact = {"node_id": node, "host_id": host, "parent": under}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    return rows.filter(mailbox_limit__gt=0, mailbox__gte=F("mailbox_limit")) if full else rows


def _paged(
    seen: QuerySet[Process],
    rows: QuerySet[Process],
    form: str,
    total: int,
    page: int,
    order: Sequence[str] = ("started_at", "id"),
) -> Found:
    matching = rows.count()
    page, pages = _place(matching, page)
    shown = list(rows.order_by(*order)[(page - 1) * PAGE : page * PAGE])
    counts = _children(seen, [each.pid for each in shown]) if form != "ended" else Counter()
    return Found([Line(each, 0, counts[each.pid]) for each in shown], form, matching, total, page, pages)


def _place(matching: int, page: int) -> tuple[int, int]:
    """The page that is meant, and how many there are."""
    pages = max(1, -(-matching // PAGE))
    return min(max(1, page), pages), pages


def _tree_page(rows: QuerySet[Process], total: int, page: int) -> Found:
    """A page of the whole tree; its first line is not left without those that it stands below."""
    order = [*_tree(list(rows.only("pid", "parent").order_by("started_at", "id")))]
    page, pages = _place(len(order), page)
    start = (page - 1) * PAGE
    lines = [*_above(order, start), *order[start : start + PAGE]]
    whole = rows.in_bulk([line.process.pk for line in lines])
    shown = [replace(line, process=whole[line.process.pk]) for line in lines if line.process.pk in whole]
    return Found(shown, "tree", total, total, page, pages)


def _above(order: Sequence[Line], start: int) -> list[Line]:
    """The lines that the line at `start` stands below, from the root on."""
    found: list[Line] = []
    depth = order[start].depth if start < len(order) else 0
    for line in reversed(order[:start]):
        if line.depth < depth:
            depth = line.depth
            found.insert(0, replace(line, above=True))
        if not depth:
            break
    return found


def _children(seen: QuerySet[Process], pids: Sequence[str]) -> Counter[str]:
    rows = seen.filter(parent__in=pids).order_by().values_list("parent").annotate(count=Count("id"))
    return Counter(dict(rows))


def _tree(rows: Sequence[Process]) -> Iterator[Line]:
    """Children below their parents; whose parent is not among the rows, a root."""
    pids = {each.pid for each in rows}
    below: defaultdict[str, list[Process]] = defaultdict(list)
    for each in rows:
        below[each.parent if each.parent in pids else ""].append(each)
    stack = [(each, 0) for each in reversed(below[""])]
    while stack:
        process, depth = stack.pop()
        yield Line(process, depth, len(below[process.pid]))
        stack += [(child, depth + 1) for child in reversed(below[process.pid])]
