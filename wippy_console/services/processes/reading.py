"""Finds processes by their rows, and asks the node about one of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from engine.contracts.operations import ProcessInfo
from engine.durations import SECOND
from engine.entry import namespace_of
from engine.pids import Pid
from wippy_console import permissions
from wippy_console.models import Process, Service
from wippy_console.services import fleet, grants
from wippy_console.services.errors import NotFoundError, Unavailable
from wippy_console.services.processes import nodes

PAGE = 100
# Few enough to be shown as one tree; of more, only those without a parent, each with how many are below.
WHOLE_TREE = 200
KIN = 50
NOT_VISIBLE = "not visible"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list: a process, how deep it stands in the tree, and how many children it has."""

    process: Process
    depth: int = 0
    children: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A page of processes. `form` is tree (all of them), roots (those without a living parent) or list (matches)."""

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
    return Process.objects.filter(node__in=fleet.alive())


def visible(user: Any) -> QuerySet[Process]:
    """Those of entries that the user may see."""
    return grants.narrowed(live(), user, permissions.VIEW_FLEET, entry="entry_id")


def entry_of(pid: str) -> str:
    """The entry of a process, by its row or else by its node; NotFoundError, Unavailable."""
    found = Process.objects.filter(pid=pid).values_list("entry_id", flat=True).first()
    return _asked(pid, None).entry_id if found is None else found


def search(
    user: Any, *, text: str = "", node: str = "", host: str = "", under: str = "", full: bool = False, page: int = 1
) -> Found:
    """A page of the processes: by part of a pid, entry or name, by node, by host, by parent, with full mailboxes."""
    permissions.require(user, permissions.VIEW_FLEET)
    rows, total = visible(user), visible(user).count()
    if any((text.strip(), node, host, under, full)):
        return _paged(rows, _narrowed(rows, text.strip(), node, host, under, full), "list", total, page)
    if total <= WHOLE_TREE:
        return Found([*_tree(list(rows))], "tree", total, total, 1, 1)
    parents = visible(user).filter(pid=OuterRef("parent"))
    return _paged(rows, rows.exclude(Exists(parents)), "roots", total, page)


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


def describe(user: Any, pid: str, *, now: bool = True) -> Detail:
    """One process, as its node sees it at this moment, or with `now` false as it was written last.

    NotFoundError when it is gone. A node that does not answer leaves what was written.
    """
    permissions.require(user, permissions.VIEW_FLEET)
    row = live().select_related("node").filter(pid=pid).first()
    stale = ""
    if now or row is None:
        try:
            row = _asked(pid, row)
        except Unavailable as error:
            if row is None:
                raise
            stale = error.message
    assert row is not None
    if not permissions.allows(user, permissions.VIEW_FLEET, namespace_of(row.entry_id)):
        raise NotFoundError(f"{pid} is not here: it has ended, or never was.")
    _hide_relatives(user, row)
    children = visible(user).filter(parent=pid)
    return Detail(
        process=row,
        parent=visible(user).filter(pid=row.parent).first() if row.parent else None,
        children=list(children[:KIN]),
        child_count=children.count(),
        watchers=[each for each in row.watchers if not each.startswith("service ")],
        service=next((each.removeprefix("service ") for each in row.watchers if each.startswith("service ")), ""),
        stale=stale,
    )


def _hide_relatives(user: Any, row: Process) -> None:
    """Name those that the user may not see as such; the row is not to be saved."""
    if permissions.scope(user, permissions.VIEW_FLEET).everywhere:
        return
    named = {row.parent, *row.links, *row.watchers}
    seen = set(visible(user).filter(pid__in=named).values_list("pid", flat=True))
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
    return {**same, **lists, "entry_id": info.entry, "host_id": info.host, "started_at": started}


def _narrowed(rows: QuerySet[Process], text: str, node: str, host: str, under: str, full: bool) -> QuerySet[Process]:
    if text:
        rows = rows.filter(Q(pid__icontains=text) | Q(entry_id__icontains=text) | Q(name_text__icontains=text))
    exact = {"node_id": node, "host_id": host, "parent": under}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    return rows.filter(mailbox_limit__gt=0, mailbox__gte=F("mailbox_limit")) if full else rows


def _paged(seen: QuerySet[Process], rows: QuerySet[Process], form: str, total: int, page: int) -> Found:
    matching = rows.count()
    pages = max(1, -(-matching // PAGE))
    page = min(max(1, page), pages)
    shown = list(rows.order_by("started_at", "id")[(page - 1) * PAGE : page * PAGE])
    counts = _children(seen, [each.pid for each in shown])
    return Found([Line(each, 0, counts[each.pid]) for each in shown], form, matching, total, page, pages)


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
