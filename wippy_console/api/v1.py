"""Version 1 of the API: everything below /api/v1/."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from django.views.decorators.csrf import csrf_exempt

from wippy_console.api import (
    again,
    audit,
    callers,
    deliveries,
    entries,
    feed,
    functions,
    health,
    nodes,
    problems,
    processes,
    questions,
    run_steps,
    runs,
    schedules,
    services,
    subscriptions,
    versions,
)
from wippy_console.api.document import DocumentedAPI
from wippy_console.api.door import door
from wippy_console.api.exactly import ExactParser, ExactRenderer

api = DocumentedAPI(
    title="Wippy Console",
    version="1",
    description="Start, signal and watch runs, and all else that the console does, by the same rights.",
    docs_url=None,
    urls_namespace="api-v1",
    auth=[callers.Bearer(), callers.Session()],
    parser=ExactParser(),
    renderer=ExactRenderer(),
)
api.add_exception_handler(Exception, problems.of)
for known in list(api._exception_handlers):
    api.add_exception_handler(known, problems.of)  # ninja's own answer in another form
api.add_decorator(door, mode="view")
api.add_router("/runs", runs.router, tags=["runs"])
api.add_router("/runs", again.router, tags=["runs"])
api.add_router("/runs", run_steps.router, tags=["runs"])
api.add_router("/questions", questions.router, tags=["questions"])
api.add_router("/decisions", audit.made, tags=["audit"])
api.add_router("/audit", audit.done, tags=["audit"])
api.add_router("/deliveries", deliveries.router, tags=["deliveries"])
api.add_router("/schedules", schedules.router, tags=["schedules"])
api.add_router("/functions", functions.router, tags=["functions"])
api.add_router("/processes", processes.router, tags=["processes"])
api.add_router("/services", services.router, tags=["services"])
api.add_router("/nodes", nodes.router, tags=["nodes"])
api.add_router("/health", health.router, tags=["health"])
api.add_router("/feed", feed.router, tags=["feed"])
api.add_router("/subscriptions", subscriptions.router, tags=["subscriptions"])
api.add_router("/entries", entries.router, tags=["entries"])
api.add_router("/versions", versions.router, tags=["versions"])


@csrf_exempt
@login_not_required
def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    """What no operation has as its address."""
    return problems.answer(404, "There is no such address.")


def urls() -> list[URLPattern | URLResolver]:
    """Its addresses; the door asks who calls, so Django's own question is left out."""
    found: list[Any] = api.urls[0]
    for pattern in found:
        pattern.callback.login_required = False
    return found
