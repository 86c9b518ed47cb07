"""Versions of the registry: what each changed, and the way back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from engine.entry import Entry
from wippy_console import permissions
from wippy_console.api.callers import user_of
from wippy_console.api.entry_shapes import Id, Why, counted, refused
from wippy_console.api.shapes import Body, Cursor, Limit, PageOf
from wippy_console.models import Revision, Version
from wippy_console.services import registry
from wippy_console.services.registry import ChangesRefused

router = Router()

Number = Annotated[int, Path(ge=1, le=2**53)]


class VersionOut(Schema):
    """A version; `source` is apply, editor or lua, `restores` the earlier one whose entries it only brings back."""

    version: int
    created_at: datetime
    author: str
    message: str
    source: str
    restores: int | None


class RevisionOut(Schema):
    """What a version made of an entry: `change` is created, updated or deleted, `diff` shows it as text."""

    entry: str
    kind: str
    change: str
    diff: str


class Filters(Schema):
    """`entry` wants the versions that changed it."""

    entry: Id = ""
    cursor: Cursor = ""
    limit: Limit = 50


class RevisionFilters(Schema):
    """Where the page begins."""

    cursor: Cursor = ""
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class Restore(Body):
    """Why."""

    message: Why = ""


@router.get("", response=PageOf[VersionOut], summary="List versions")
def index(request: HttpRequest, filters: Query[Filters]) -> Any:
    """Those that changed an entry that you may see, newest first."""
    permissions.require(request.user, permissions.VIEW_REGISTRY)
    user, entry = request.user, filters.entry
    rows, after = registry.versions_listed(user, entry=entry, after=filters.cursor, limit=filters.limit)
    return {"items": [_out(each) for each in rows], "next": after}


@router.get("/{int:number}", response=VersionOut, summary="Get a version", url_name="version")
def get(request: HttpRequest, number: Number) -> Any:
    """Who made it, when and why."""
    permissions.require(request.user, permissions.VIEW_REGISTRY)
    return _out(registry.version_for(request.user, number))


@router.get("/{int:number}/revisions", response=PageOf[RevisionOut], summary="List what a version changed")
def revisions(request: HttpRequest, number: Number, filters: Query[RevisionFilters]) -> Any:
    """By entry, as far as you may see it, each with its difference."""
    permissions.require(request.user, permissions.VIEW_REGISTRY)
    version = registry.version_for(request.user, number)
    rows, after = registry.revisions_listed(request.user, version, after=filters.cursor, limit=filters.limit)
    return {"items": [_revision(each, before) for each, before in rows], "next": after}


@router.post("/{int:number}/restore", response={200: VersionOut, 201: VersionOut}, summary="Restore a version")
def restore(request: HttpRequest, response: HttpResponse, number: Number, body: Restore) -> Any:
    """Publish what it held: 201 with the new version, or 200 with the newest when it holds just that already.

    It needs the rights to publish whatever that changes. A repeat is safe whatever died in between.
    """
    newest = registry.current_number()
    try:
        made = registry.restore(user_of(request), number, body.message)
    except ChangesRefused as error:
        raise refused(counted(error.problems), error.problems, lambda _: ()) from None
    if made.number > newest:
        response["Location"] = reverse("api-v1:version", args=(made.number,))
    return Status(201 if made.number > newest else 200, _out(made))


def _out(version: Version) -> dict[str, Any]:
    same = {name: getattr(version, name) for name in ("created_at", "message", "source", "restores")}
    return {"version": version.number, "author": version.publisher, **same}


def _revision(revision: Revision, before: Entry | None) -> dict[str, Any]:
    after = None if revision.deleted else Entry(revision.entry_id, revision.kind, revision.meta, revision.data)
    names = (str(revision.version_id - 1), str(revision.version_id))
    return {
        "entry": revision.entry_id,
        "kind": revision.kind or (before.kind if before else ""),
        "change": "deleted" if after is None else "updated" if before else "created",
        "diff": registry.difference(before, after, names),
    }
