"""Saved views: filters of a list under a name, for oneself or for all; and what each person chose for a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.http import QueryDict

from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import ListSettings, SavedView
from wippy_console.services import audit
from wippy_console.services.errors import Conflict, NotFoundError, Refused

MOST = 100
"""Of one person, for one page."""

LONGEST_NAME, LONGEST_QUERY, MOST_COLUMNS = 100, 4000, 20
LARGEST_ID = 2**63 - 1

MARK, COLUMNS = "saved", "columns"
"""The fields of an address that name the view it came from ("" or 0: none) and the columns to show."""

PLACES = {"runs": ("before",), "inbox": ("before", "after"), "live": ("before", "since")}
"""The fields of each page's address that say where in the list one is, and are no filters."""


def refuse_unknown(page: str) -> None:
    """NotFoundError for what is no list with views."""
    if page not in SavedView.Page.values:
        raise NotFoundError(f"There is no list {page[:40]} with views.")


def visible(user: User, page: str) -> QuerySet[SavedView]:
    """The user's own views of a page and those that are shared, the own ones first."""
    rows = SavedView.objects.filter(Q(owner=user) | Q(shared=True), page=page).select_related("owner")
    return rows.annotate(is_own=Q(owner=user)).order_by("-is_own", "name", "pk")


def get(user: User, view_id: int) -> SavedView:
    """One that the user may see; NotFoundError."""
    mine = Q(owner=user) | Q(shared=True)
    found = (
        SavedView.objects.filter(mine, pk=view_id).select_related("owner").first() if view_id <= LARGEST_ID else None
    )
    if found is None:
        raise NotFoundError("There is no such view: its owner may have deleted it, or shares it no more.")
    return found


def may_change(user: User, view: SavedView) -> bool:
    """Its owner may; a shared one also whoever may change views at all, for owners leave."""
    others = view.shared and user.has_perm(f"{permissions.APP}.change_savedview")
    return view.owner_id == user.pk or others


def address(view: SavedView) -> str:
    """The query of the page's address that shows it, with `?`."""
    fields = QueryDict(view.query, mutable=True)
    if view.columns:
        fields[COLUMNS] = ",".join(view.columns)
    fields[MARK] = str(view.pk)
    return f"?{fields.urlencode()}"


def filters_in(page: str, query: str) -> tuple[str, list[str]]:
    """Of an address's query what a view keeps: the filters that are set, and the columns."""
    fields, others = QueryDict(storable_text(query)), (*PLACES.get(page, ()), MARK, COLUMNS)
    kept = QueryDict(mutable=True)
    for name in fields:
        if name not in others and (texts := [text for text in fields.getlist(name) if text]):
            kept.setlist(name, texts)
    return kept.urlencode(), columns_in(fields.get(COLUMNS) or "")


def columns_in(text: str) -> list[str]:
    """The names of columns in an address, each once."""
    return list(dict.fromkeys(name for name in text.split(",") if name))[:MOST_COLUMNS]


@transaction.atomic
def save(user: User, page: str, name: str, query: str, *, shared: bool = False) -> SavedView:
    """Make a view of an address's query.

    Refused (`name`, `query`) for what can't be one; Conflict (`name`) when the user has one of that name;
    PermissionDenied for sharing without the right.
    """
    refuse_unknown(page)
    if SavedView.objects.filter(owner=user, page=page).count() >= MOST:
        raise Refused(f"You have {MOST} views of this page: delete one first.")
    view = SavedView(owner=user, page=page, name=_name(name))
    view.query, view.columns = _kept(view.page, query)
    _refuse_taken(view)
    _share(user, view, shared)
    _write(view)
    return view


@transaction.atomic
def change(user: User, view_id: int, *, name: str, shared: bool, query: str | None = None) -> SavedView:
    """Rename it, share it or no more, and (with a `query`) put other filters into it; refuses as `save` does."""
    view = _theirs(user, view_id)
    view.name = _name(name)
    if query is not None:
        view.query, view.columns = _kept(view.page, query)
    _refuse_taken(view)
    _share(user, view, shared)
    _write(view)
    return view


@transaction.atomic
def delete(user: User, view_id: int) -> SavedView:
    """Forget it, for all if it was shared."""
    view = _theirs(user, view_id)
    if view.shared:
        _note(user, view, "deleted")
    SavedView.objects.filter(pk=view.pk).delete()
    return view


def settings_of(user: User, page: str) -> ListSettings:
    """What the user chose for the page; not saved where nothing was chosen yet."""
    return ListSettings.objects.filter(user=user, page=page).first() or ListSettings(user=user, page=page)


def choose(user: User, page: str, *, columns: Iterable[str], dense: bool) -> None:
    """Remember the columns (none: the usual ones) and the density for the page."""
    kept = {"columns": [storable_text(name) for name in columns][:MOST_COLUMNS], "dense": dense}
    ListSettings.objects.update_or_create(user=user, page=page, defaults=kept)


def open_with(user: User, page: str, view_id: int | None) -> None:
    """Let the page open with the view; None: with everything, as without this."""
    view = get(user, view_id) if view_id is not None else None
    if view is not None and view.page != page:
        raise Refused("That view is of another page.")
    ListSettings.objects.update_or_create(user=user, page=page, defaults={"opens_with": view})


def opening(user: User, page: str) -> SavedView | None:
    """The view that the page opens with for the user, if it is there and still shared with them."""
    chosen = ListSettings.objects.filter(user=user, page=page).exclude(opens_with=None)
    theirs = Q(opens_with__owner=F("user")) | Q(opens_with__shared=True)
    found = chosen.filter(theirs).select_related("opens_with").first()
    return found.opens_with if found else None


def _theirs(user: User, view_id: int) -> SavedView:
    view = get(user, view_id)
    if not may_change(user, view):
        raise PermissionDenied(f"The view belongs to {view.owner}: save one of your own instead.")
    return view


def _name(text: str) -> str:
    name = storable_text(" ".join(text.split()))
    if not name:
        raise Refused("Give the view a name.", {"name": ["Give the view a name."]})
    if len(name) > LONGEST_NAME:
        raise Refused("The name is too long.", {"name": [f"At most {LONGEST_NAME} characters."]})
    return name


def _kept(page: str, query: str) -> tuple[str, list[str]]:
    kept, columns = filters_in(page, query)
    if len(kept) > LONGEST_QUERY:
        raise Refused(f"These filters are too long to be kept: at most {LONGEST_QUERY} characters.")
    return kept, columns


def _refuse_taken(view: SavedView) -> None:
    taken = SavedView.objects.filter(owner=view.owner, page=view.page, name=view.name).exclude(pk=view.pk)
    if taken.exists():
        raise _conflict(view)


def _write(view: SavedView) -> None:
    """Of two that are saved at once under one name the second is refused, too."""
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise _conflict(view) from None


def _conflict(view: SavedView) -> Conflict:
    text = f"There is a view {view.name} already."
    return Conflict(text, {"name": [text]})


def _share(user: Any, view: SavedView, shared: bool) -> None:
    """Whoever makes it everybody's, or changes what is, needs the right; taking it back needs none."""
    if shared:
        permissions.require(user, permissions.SHARE_VIEW)
    if shared or view.shared:
        _note(user, view, "shared" if shared else "unshared")
    view.shared = shared


def _note(user: Any, view: SavedView, outcome: str) -> None:
    data = {"page": view.page, "owner": view.owner.get_username(), "query": view.query}
    audit.append(audit.SHARE, user, label=view.name, outcome=outcome, data=data)
