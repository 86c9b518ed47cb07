"""What every template may use without its view passing it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from wippy_console import permissions
from wippy_console.http import app_pages

HTMX_CONFIG = json.dumps(
    {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "globalViewTransitions": False,
        # Inherited attributes surprise: a dialog's button inside a region would swap as the region does.
        "disableInheritance": True,
        "historyCacheSize": 0,
        "responseHandling": [
            {"code": "204", "swap": False},
            {"code": "[23]..", "swap": True},
            {"code": "(409|422)", "swap": True, "error": False},
            {"code": "[45]..", "swap": True, "error": True, "target": "#messages", "swapOverride": "outerHTML"},
        ],
    }
)


def console(request: HttpRequest) -> dict[str, Any]:
    """htmx's settings, the token's cookie, decisions that wait for the user, entries' titles; asked for where shown."""
    return {
        "HTMX_CONFIG": HTMX_CONFIG,
        "CSRF_COOKIE": settings.CSRF_COOKIE_NAME,
        "app_pages": SimpleLazyObject(lambda: app_pages.shown(request.user)),
        "inbox_count": SimpleLazyObject(lambda: inbox_count(request.user)),
        "titles": SimpleLazyObject(titles),
    }


def titles() -> Mapping[str, str]:
    """Titles by entry id, once per request."""
    from wippy_console.services import registry  # noqa: PLC0415

    return registry.titles()


def inbox_count(user: Any) -> str:
    """The number on the inbox badge, "" for none: it counts the very list that the inbox opens with."""
    from wippy_console.services import questions  # noqa: PLC0415

    if not permissions.allows(user, permissions.VIEW_QUESTION):
        return ""
    found = questions.count(questions.listed(user))
    return questions.counted(found) if found else ""
