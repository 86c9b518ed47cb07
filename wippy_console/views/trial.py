"""Try a function: fill in its form, see what it returns or how it fails."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from engine.entry import Entry
from wippy_console import permissions
from wippy_console.forms.processes import TryForm
from wippy_console.forms.refusals import submit
from wippy_console.forms.schema import MISSING, SchemaForm
from wippy_console.services import processes, registry
from wippy_console.services.errors import NotFoundError
from wippy_console.services.processes import Trial
from wippy_console.views.pages import needs, page, schema_form
from wippy_console.views.typed import typed_in


@needs(permissions.VIEW_REGISTRY)
def show(request: HttpRequest, entry_id: str) -> HttpResponse:
    """The form of a function; sent, it calls it once on some worker, and what came of it stands below."""
    entry = registry.entry_for(request.user, entry_id)
    if not processes.callable_by(request.user, entry):
        raise NotFoundError(f"{entry.id} is no function that you may call.")
    schema = entry.meta.get("input_schema")
    typed = typed_in(request)
    form = TryForm(typed.data, drawn=schema is not None)
    fields = schema_form(request, schema, typed.data)
    outcome = typed.settle(submit(lambda: attempted(request.user, entry, form, fields), form, fields))
    context = {"entry": entry, "form": form, "fields": fields, "typed": typed, "found": outcome.value}
    return page(request, "registry/try.html", context, outcome.status)


def attempted(user: Any, entry: Entry, form: TryForm, fields: SchemaForm) -> Trial:
    """What the schema's form holds is the first argument."""
    given, value = form.cleaned_data, fields.value()
    args = given.get("args", [] if value is MISSING else [value])
    return processes.trial(user, entry.id, args, given["seconds"])
