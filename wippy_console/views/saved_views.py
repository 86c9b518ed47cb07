"""Saved views of lists: the strip above a list, the form of one view, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from wippy_console import permissions
from wippy_console.forms.lists import ViewForm
from wippy_console.forms.refusals import submit
from wippy_console.models import SavedView
from wippy_console.services import saved_views
from wippy_console.views.pages import is_partial, page, user_of
from wippy_console.views.typed import typed_in

NEEDED = {"runs": permissions.VIEW_RUN, "live": permissions.VIEW_FEED, "inbox": permissions.VIEW_QUESTION}
"""The right to see each page that has views."""


def strip(request: HttpRequest, name: str, columns: Iterable[Any] = ()) -> dict[str, Any]:
    """What `parts/saved_views.html` draws: the views, which of them the address shows, and whether it was changed.

    `columns` are those of the page, to be kept with a view that is saved.
    """
    user, marked = user_of(request), request.GET.get(saved_views.MARK, "")
    views: list[Any] = list(saved_views.visible(user, name))
    chosen = next((view for view in views if str(view.pk) == marked), None)
    for view in views:
        view.address = saved_views.address(view)
    kept = urlencode({"query": _with_columns(request, columns)})
    now = saved_views.filters_in(name, request.GET.urlencode())
    return {
        "page": name,
        "views": views,
        "chosen": chosen,
        "is_changed": chosen is not None and now != saved_views.filters_in(name, chosen.address[1:]),
        "is_filtered": bool(now[0]),
        "may_change": chosen is not None and saved_views.may_change(user, chosen),
        "new": f"{reverse('view_new', args=(name,))}?{kept}",
        "edit": f"{reverse('view_edit', args=(chosen.pk,))}?{kept}" if chosen else "",
    }


def opened(request: HttpRequest, name: str) -> HttpResponse | None:
    """A page whose address says nothing opens with the view that the user chose for it; None where there is none."""
    view = None if request.GET or is_partial(request) else saved_views.opening(user_of(request), name)
    return redirect(reverse(name) + saved_views.address(view)) if view else None


def new(request: HttpRequest, name: str) -> HttpResponse:
    """The form that keeps the filters of an address under a name, and what comes of it."""
    user = _reader(request, name)
    typed = typed_in(request, query=request.POST.get("query") or request.GET.get("query"))
    form = ViewForm(
        typed.data, may_share=_may_share(user), is_new=True, initial={"query": request.GET.get("query", "")}
    )
    outcome = typed.settle(submit(lambda: _made(user, name, form), form))
    if outcome.done and outcome.value is not None:
        return _shown(request, outcome.value, "saved")
    context = {"form": form, "typed": typed, "page_name": name, "url": reverse("view_new", args=(name,)), "view": None}
    return page(request, "lists/view.html", context, outcome.status)


def edit(request: HttpRequest, view_id: int) -> HttpResponse:
    """The form of a view, and what comes of it. Of a shared one of others it only says whether one's page opens so."""
    view = saved_views.get(user_of(request), view_id)
    user = _reader(request, view.page)
    typed = typed_in(request)
    form = _form_of(request, user, view, typed.data)
    outcome = typed.settle(submit(lambda: _changed(user, view, form), form))
    if outcome.done and outcome.value is not None:
        return _shown(request, outcome.value, "changed")
    url = reverse("view_edit", args=(view.pk,))
    context = {"form": form, "typed": typed, "page_name": view.page, "url": url, "view": view}
    return page(request, "lists/view.html", context, outcome.status)


@require_POST
def delete(request: HttpRequest, view_id: int) -> HttpResponse:
    """Delete it; the page then shows everything."""
    view = saved_views.delete(user_of(request), view_id)
    messages.success(request, f"The view {view.name} was deleted.")
    return _away(request, f"{reverse(view.page)}?{saved_views.MARK}=0")


def _reader(request: HttpRequest, name: str) -> User:
    """The user, who may see the page that the view is of."""
    saved_views.refuse_unknown(name)
    permissions.require(request.user, NEEDED[name])
    return user_of(request)


def _form_of(request: HttpRequest, user: User, view: SavedView, data: Any) -> ViewForm:
    opens = saved_views.opening(user, view.page)
    initial = {"name": view.name, "shared": view.shared, "opens": opens == view, "query": request.GET.get("query", "")}
    form = ViewForm(data, may_share=_may_share(user) or view.shared, is_new=False, initial=initial)
    if not saved_views.may_change(user, view):
        for name in ("name", "shared", "fresh", "query"):
            form.fields.pop(name, None)
    return form


def _made(user: User, name: str, form: ViewForm) -> SavedView:
    given = form.cleaned_data
    view = saved_views.save(user, name, given["name"], given["query"], shared=given.get("shared", False))
    return _opens(user, view, form)


def _changed(user: User, view: SavedView, form: ViewForm) -> SavedView:
    given = form.cleaned_data
    if "name" in given:
        query = given["query"] if given.get("fresh") else None
        view = saved_views.change(user, view.pk, name=given["name"], shared=given.get("shared", False), query=query)
    return _opens(user, view, form)


def _opens(user: User, view: SavedView, form: ViewForm) -> SavedView:
    """Whether the page opens with it, from now on."""
    was = saved_views.opening(user, view.page) == view
    if form.cleaned_data["opens"] != was:
        saved_views.open_with(user, view.page, None if was else view.pk)
    return view


def _may_share(user: User) -> bool:
    return permissions.allows(user, permissions.SHARE_VIEW)


def _with_columns(request: HttpRequest, columns: Iterable[Any]) -> str:
    """The query of the address, with the columns that the page shows."""
    fields = request.GET.copy()
    if names := [column.name for column in columns]:
        fields[saved_views.COLUMNS] = ",".join(names)
    return fields.urlencode()


def _shown(request: HttpRequest, view: SavedView, deed: str) -> HttpResponse:
    messages.success(request, f"The view {view.name} was {deed}.")
    return _away(request, reverse(view.page) + saved_views.address(view))


def _away(request: HttpRequest, url: str) -> HttpResponse:
    return HttpResponseClientRedirect(url) if is_partial(request) else redirect(url)
