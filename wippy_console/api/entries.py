"""Entries of the registry: found, replaced one by one, and published as a folder.

An id may hold slashes, which an address has as they are: `/entries/shop:lib/money`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import parse_etags
from ninja import Header, Query, Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field

from engine.entry import Entry
from engine.registry import tree as trees
from engine.registry.problems import Problem, errors_in, warnings_in
from wippy_console import permissions
from wippy_console.api.callers import user_of
from wippy_console.api.entry_shapes import (
    EntryBody,
    Id,
    Kind,
    NamedEntry,
    Place,
    ProblemOut,
    Why,
    counted,
    entry_of,
    place_in_entry,
    problem_out,
    refused,
)
from wippy_console.api.shapes import Body, Cursor, Json, Limit, PageOf, Text
from wippy_console.services import python_functions, registry
from wippy_console.services.errors import Refused
from wippy_console.services.registry import ChangesRefused, Plan, Seen

router = Router()

UNSEEN = "Send If-Match with the ETag of the entry as you know it, or If-None-Match: * for one that is not there."
_ETAG = re.compile(r'"(\d{1,18})"')

IfMatch = Annotated[str | None, Header(alias="If-Match", description="the ETag of the entry as you know it, or *")]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", description="* for an entry that is not there")]


class EntryOut(Schema):
    """An entry as lists have it; `version` made it what it is, 0 for one that only code declares."""

    entry: str
    kind: str
    title: str
    description: str
    version: int


class EntryWhole(Schema):
    """An entry with its definition; `files` has it as `manage.py export` writes it, and /entries/publish takes it."""

    entry: str
    kind: str
    version: int
    meta: Json
    data: Json
    files: dict[str, str]


class EntrySaved(EntryWhole):
    """The entry as it is now, and what its publishing warned of."""

    warnings: list[ProblemOut]


class Filters(Schema):
    """Empty ones want all; those that are set add up. `namespace` is one, or all below it, too: `shop.*`."""

    text: Annotated[Text, Field(max_length=500)] = ""
    kind: Kind = ""
    namespace: Annotated[Text, Field(max_length=500)] = ""
    cursor: Cursor = ""
    limit: Limit = 50


class EntryIn(EntryBody):
    """What the entry shall be."""

    message: Why = ""


class Removal(Schema):
    """Why an entry is deleted."""

    message: Why = ""


class Folder(Body):
    """What to publish as one version: a folder as `files`, texts by path, or `entries` themselves and ids to `delete`.

    `prune` deletes the entries that the files lack, in the namespaces that they hold. `edits` says what happens to
    entries that were changed elsewhere since they were applied: `refuse` (a problem each), `take` the given ones, or
    `keep` theirs. `base` is the version on which the changes were made: what was changed since is a problem.
    """

    files: dict[Text, Text] = {}
    entries: Annotated[list[NamedEntry], Field(max_length=10_000)] = []
    delete: Annotated[list[Id], Field(max_length=10_000)] = []
    prune: bool = False
    edits: Literal["refuse", "take", "keep"] = "refuse"
    base: Annotated[int, Field(ge=0)] | None = None


class FolderIn(Folder):
    """The same, and why."""

    message: Why = ""


class EditedOut(Schema):
    """An entry that was changed elsewhere since it was applied, and how what is given differs from it, as a diff."""

    entry: str
    version: int
    by: str
    difference: str


class Planned(Schema):
    """What publishing would do to version `base`, or did."""

    base: int
    created: list[str]
    updated: list[str]
    deleted: list[str]
    unchanged: int
    edited: list[EditedOut]


class Checked(Planned):
    """What publishing would say; it would be refused unless it is `ok`."""

    ok: bool
    problems: list[ProblemOut]


class Published(Planned):
    """The version that holds it all now: a new one, or when nothing differed the newest one (`published` false)."""

    version: int
    published: bool
    warnings: list[ProblemOut]


@router.get("", response=PageOf[EntryOut], summary="List entries")
def index(request: HttpRequest, filters: Query[Filters]) -> Any:
    """By id, those that only code declares among them."""
    permissions.require(request.user, permissions.VIEW_REGISTRY)
    given = filters.model_dump(exclude={"cursor", "limit"})
    rows, after = registry.found_for(request.user, **given, after=filters.cursor, limit=filters.limit)
    return {"items": [_out(each, version) for each, version in rows], "next": after}


@router.post("/check", response=Checked, summary="Check entries")
def check(request: HttpRequest, body: Folder) -> Any:
    """Say what publishing would do and every problem that it would have, and change nothing.

    It needs the rights that publishing needs: 403 names the one that lacks. It may import Python code that entries
    name, as publishing does.
    """
    plan = _plan(request, body)
    problems = [problem_out(each) for each in plan.problems]
    return {**_planned(request, plan), "ok": not errors_in(plan.problems), "problems": problems}


@router.post("/publish", response={200: Published, 201: Published}, summary="Publish entries")
def publish(request: HttpRequest, response: HttpResponse, body: FolderIn) -> Any:
    """Make one version of all that differs, as `manage.py apply` does: 201; or 200 when nothing differs.

    Problems refuse it as a whole (422, each at its place). Publishing the same again changes nothing, so a repeat is
    safe whatever died in between. A body may have 2 MB: publish larger folders by namespaces, without `prune`.
    """
    plan = _plan(request, body)
    if errors_in(plan.problems):
        raise refused(counted(plan.problems), plan.problems, _places(body))
    newest = registry.current_number()
    done = registry.apply(user_of(request), plan, body.message or "by the API") if plan.changes else None
    number = done.number if done else newest
    published = number > newest
    if published:
        response["Location"] = reverse("api-v1:version", args=(number,))
    warnings = [problem_out(each) for each in (done.warnings if done else warnings_in(plan.problems))]
    answer = {**_planned(request, plan), "version": number, "published": published, "warnings": warnings}
    return Status(201 if published else 200, answer)


@router.get("/{path:entry_id}", response={200: EntryWhole, 304: None}, summary="Get an entry", url_name="entry")
def get(
    request: HttpRequest,
    response: HttpResponse,
    entry_id: Id,
    version: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    if_none_match: Annotated[str | None, Header(alias="If-None-Match", description="ETags that you have")] = None,
) -> Any:
    """As it is now, or was in a version of the registry. The ETag is for If-Match; 304 when If-None-Match has it."""
    permissions.require(request.user, permissions.VIEW_REGISTRY)
    entry = registry.entry_for(request.user, entry_id, version)
    made = registry.made_in([entry_id], version).get(entry_id, 0)
    response["ETag"] = etag = f'"{made}"'
    if if_none_match and etag in parse_etags(if_none_match):
        return Status(304, None)
    return _whole(entry, made)


@router.put("/{path:entry_id}", response={200: EntrySaved, 201: EntrySaved}, summary="Replace or create an entry")
def put(
    request: HttpRequest,
    response: HttpResponse,
    entry_id: Id,
    body: EntryIn,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Any:
    """Publish it as a version of its own.

    If-Match has the ETag of the entry as you know it, If-None-Match: * says that it is not there; without one of them
    it is a 428, and a 412 when it is not so. A repeat with If-Match whose first answer was lost is answered like the
    first, since the entry is already as wanted.
    """
    entry = entry_of(entry_id, body)
    seen = _seen(if_match, if_none_match)
    try:
        done = registry.put(user_of(request), entry, seen, body.message)
    except ChangesRefused as error:

        def place(each: Problem) -> Place:
            return place_in_entry(each.field) if each.entry_id == entry_id else ()

        raise refused(error.message, error.problems, place) from None
    response["ETag"] = f'"{done.version}"'
    if done.created:
        response["Location"] = reverse("api-v1:entry", args=(entry_id,))
    warnings = [problem_out(each) for each in done.warnings]
    return Status(201 if done.created else 200, {**_whole(entry, done.version), "warnings": warnings})


@router.delete("/{path:entry_id}", response={204: None}, summary="Delete an entry")
def delete(
    request: HttpRequest,
    entry_id: Id,
    filters: Query[Removal],
    if_match: IfMatch = None,
) -> Any:
    """Refused while others use it. If-Match is required, as for replacing it; earlier versions still hold it.

    A repeat whose first answer was lost is a 404.
    """
    try:
        registry.remove(user_of(request), entry_id, _seen(if_match, None), filters.message)
    except ChangesRefused as error:
        raise refused(error.message, error.problems, lambda _: ()) from None
    return Status(204, None)


def _seen(if_match: str | None, if_none_match: str | None) -> Seen:
    if if_match is None:
        if if_none_match is None:
            raise HttpError(428, UNSEEN)
        if if_none_match.strip() != "*":
            raise HttpError(400, "If-None-Match of a write is *.")
        return Seen(absent=True)
    found = parse_etags(if_match)
    if not found or if_none_match is not None:
        raise HttpError(400, f'Send one condition, with the quotes of the ETag: If-Match: "17". {UNSEEN}')
    versions = [int(match[1]) for each in found if (match := _ETAG.fullmatch(each))]
    return Seen(versions, there=found == ["*"])


def _plan(request: HttpRequest, body: Folder) -> Plan:
    if bool(body.files) == bool(body.entries or body.delete):
        raise Refused("Send files, or entries and ids to delete.", {"files": ["Send files, or entries and delete."]})
    if body.files:
        tree = trees.parse(body.files)
    else:
        named = Counter([*(each.entry for each in body.entries), *body.delete])
        if twice := [each for each, count in named.items() if count > 1]:
            raise Refused(f"{twice[0]} is named twice.", {"entries": [f"{twice[0]} is named twice."]})
        found = {each.entry: entry_of(each.entry, each) for each in body.entries}
        tree = trees.Tree(found, namespaces=frozenset(each.namespace for each in found.values()))
    given = {"prune": body.prune, "delete": body.delete, "edits": body.edits, "base": body.base}
    return registry.plan_of(tree, **given, user=user_of(request))  # type: ignore[arg-type]


def _places(body: Folder) -> Callable[[Problem], Place]:
    """Where problems stand: in a file, in one of the entries, or in nothing that was sent."""
    entries: dict[str, Place] = {each.entry: ("entries", index) for index, each in enumerate(body.entries)}
    deleted: dict[str, Place] = {each: ("delete", index) for index, each in enumerate(body.delete)}

    def place(problem: Problem) -> Place:
        if problem.file:
            return ("files", problem.file)
        if found := entries.get(problem.entry_id):
            return (*found, *(("entry",) if problem.field == "name" else place_in_entry(problem.field)))
        return deleted.get(problem.entry_id, ())

    return place


def _planned(request: HttpRequest, plan: Plan) -> dict[str, Any]:
    changes, user = plan.changes, request.user
    edited = [
        {
            "entry": each.entry_id,
            "version": each.version,
            "by": each.publisher,
            "difference": each.difference if registry.sees(user, each.entry_id) else "",
        }
        for each in plan.edited
    ]
    return {
        "base": plan.base,
        "created": [each.id for each in changes.create],
        "updated": [each.id for each in changes.update],
        "deleted": list(changes.delete),
        "unchanged": plan.unchanged,
        "edited": edited,
    }


def _out(entry: Entry, version: int) -> dict[str, Any]:
    told = {name: value if isinstance(value := entry.meta.get(name), str) else "" for name in ("title", "description")}
    return {"entry": entry.id, "kind": entry.kind, "version": version, **told}


def _whole(entry: Entry, version: int) -> dict[str, Any]:
    files = registry.files_of(entry) if python_functions.entry(entry.id) is not entry else {}
    same = {"kind": entry.kind, "meta": dict(entry.meta), "data": dict(entry.data)}
    return {"entry": entry.id, "version": version, **same, "files": files}
