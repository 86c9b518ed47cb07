"""The ASGI application: probes, other systems, static files, then pages by Django and sockets by Channels."""

from __future__ import annotations

import os
from typing import Any
from wsgiref.headers import Headers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wippy_console.settings")

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.asgi import get_asgi_application
from servestatic import ServeStaticASGI

pages = get_asgi_application()

from wippy_console.hooks.door import PREFIX, door  # noqa: E402 - models must be loaded first
from wippy_console.http.probes import Probes  # noqa: E402 - models must be loaded first
from wippy_console.live.routing import websocket_urlpatterns  # noqa: E402 - models must be loaded first


def with_static(application: object) -> ServeStaticASGI:
    """Serve static files from where the apps keep them; a middleware inside Django would cost every page."""
    max_age = 0 if settings.DEBUG else 60
    server = ServeStaticASGI(
        application, max_age=max_age, allow_all_origins=False, add_headers_function=_with_type_as_said
    )
    for finder in get_finders():
        for path, storage in finder.list([]):
            server.add_file_to_dictionary(f"{settings.STATIC_URL}{path}", storage.path(path))
    return server


def with_hooks(application: Any) -> Any:
    """Let `/hooks/` past all that knows sessions."""

    async def by_path(scope: Any, receive: Any, send: Any) -> None:
        await (door if scope["path"].startswith(PREFIX) else application)(scope, receive, send)

    return by_path


def _with_type_as_said(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"


application = ProtocolTypeRouter(
    {
        "http": Probes(with_hooks(with_static(pages))),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
