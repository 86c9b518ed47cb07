"""The web process: Daphne with the console's ASGI application."""

from __future__ import annotations

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from django.conf import settings


def serve(descriptor: int | None) -> None:
    """Serve until SIGTERM, on an inherited listening socket or on WIPPY_BIND and PORT."""
    from wippy_console.asgi import application  # noqa: PLC0415 - imports models, so only after the set-up

    if descriptor is None:
        endpoints = build_endpoint_description_strings(host=settings.WIPPY_BIND, port=settings.WIPPY_PORT)
    else:
        endpoints = build_endpoint_description_strings(file_descriptor=descriptor)
    Server(application, endpoints=endpoints, server_name="wippy-console", **_proxy_headers()).run()


def _proxy_headers() -> dict[str, str]:
    """Believe a proxy's word on the client's address only where a proxy is required."""
    return {"proxy_forwarded_address_header": "X-Forwarded-For"} if settings.SECURE else {}
