"""What views share: a page whole or its partial, and permissions of pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import unquote

from django.contrib.auth.models import User
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django_htmx.http import reswap, retarget, trigger_client_event

from wippy_console import permissions
from wippy_console.forms.schema import MISSING, SchemaForm, zones
from wippy_console.forms.typed import Restored
from wippy_console.models import Run
from wippy_console.services import questions, states
from wippy_console.services.errors import Refused

LONGEST_NUMBER = 18  # digits that every database can count

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

ZONE_COOKIE = "zone"
"""Set by static/times.js."""


def is_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page only."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def page(request: HttpRequest, template: str, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    """Render `runs/list.html`, or for htmx the part `runs/_list.html` which that page includes."""
    folder, _, name = template.rpartition("/")
    chosen = f"{folder}/_{name}" if is_partial(request) else template
    response = render(request, chosen, dict(context), status=status)
    response.headers["Vary"] = "HX-Request, Cookie"
    if getattr(context.get("typed"), "data", None) is not None:  # what somebody typed is in it, whoever goes back later
        add_never_cache_headers(response)
    return _in_its_dialog(request, response)


def _in_its_dialog(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A form that was refused in a dialog stands there again; elsewhere htmx puts failures into the page behind it."""
    if response.status_code < 400 or request.headers.get("HX-Target") != "dialog" or not is_partial(request):
        return response
    retarget(response, "#dialog")
    return reswap(response, "innerHTML")


def marked(rows: Iterable[Run]) -> list[Any]:
    """Runs with `asks`, what each asks of people now, and `unserved` (`states`). A query for all, none for each."""
    found: list[Any] = list(rows)
    asked, unserved = questions.asked_by(found), states.unserved(found)
    for run in found:
        run.asks, run.unserved = asked.get(run.run_id, []), run.run_id in unserved
    return found


def schema_form(request: HttpRequest, schema: Any, data: QueryDict | None, value: Any = MISSING) -> SchemaForm:
    """The form of an entry's schema, with `value` or its defaults, or what was typed; in the viewer's zone."""
    form = SchemaForm(
        schema, data, files=request.FILES, value=value, zone=unquote(request.COOKIES.get(ZONE_COOKIE, ""))
    )
    form.is_edited = form.is_edited or isinstance(data, Restored)
    return form


def zone_of(request: HttpRequest) -> tzinfo:
    """The zone that the viewer's browser told, UTC without one."""
    return zones.find(zones.known(unquote(request.COOKIES.get(ZONE_COOKIE, "")))) or UTC


def number(text: str | None) -> int | None:
    """A version number or feed id from the address, None where it has none; Refused for anything else."""
    if not text:
        return None
    if not text.isdecimal() or len(text) > LONGEST_NUMBER:
        raise Refused(f"The address can't be read: {text[:40]} is not a number that counts versions or events.")
    return int(text)


def choice(request: HttpRequest, name: str, choices: Sequence[str]) -> str:
    """What the address chooses of a few, the first where it says nothing; Refused for anything else."""
    chosen = request.GET.get(name) or choices[0]
    if chosen not in choices:
        raise Refused(
            f"The address can't be read: {name} is one of {', '.join(filter(None, choices))}, not {chosen[:40]}."
        )
    return chosen


def filters(form: Form) -> dict[str, Any]:
    """The filters that a form found in the address; Refused where one is none, for all would be shown without it."""
    if not form.is_valid():
        name, texts = next(iter(form.errors.items()))
        raise Refused(f"The address can't be read: {name}: {' '.join(map(str, texts))}")
    return form.cleaned_data


def user_of(request: HttpRequest) -> User:
    """The signed-in user; `needs` has turned everybody else away."""
    return cast("User", request.user)


def done(request: HttpRequest, url: str, *events: str) -> HttpResponse:
    """Lead on after an action; for htmx, empty the dialog, show messages, refresh the regions that hear `events`."""
    if not is_partial(request):
        return redirect(url)
    response = render(request, "parts/messages.html")
    trigger_client_event(response, "acted")
    for event in events:
        trigger_client_event(response, event)
    return response


def needs(permission: str) -> Callable[[View[P]], View[P]]:
    """Answer 403, in words, to users without `permission`."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            permissions.require(request.user, permission)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
