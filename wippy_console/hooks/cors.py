"""Which pages of other origins may ask, as routers declare it by the middleware `cors`."""

from __future__ import annotations

from engine.registry.hooks.middleware import Cors
from wippy_console.services.hooks import Headers, Incoming, Reply


def is_preflight(incoming: Incoming) -> bool:
    """Whether a browser asks what a page may ask."""
    wanted = incoming.header("access-control-request-method")
    return incoming.method == "OPTIONS" and bool(wanted and incoming.header("origin"))


def preflight(cors: Cors, incoming: Incoming) -> Reply:
    """The answer to a browser; without the headers a page of that origin may not ask."""
    granted = _granted(cors, incoming)
    if not granted:
        return Reply(204, (("vary", "Origin"),))
    headers = [
        *granted,
        ("access-control-allow-methods", ", ".join(cors.methods)),
        ("access-control-allow-headers", _allowed_headers(cors, incoming)),
        ("access-control-max-age", str(cors.max_age)),
    ]
    if cors.private_network and incoming.header("access-control-request-private-network") == "true":
        headers.append(("access-control-allow-private-network", "true"))
    return Reply(204, tuple(headers))


def headers(cors: Cors | None, incoming: Incoming) -> Headers:
    """What lets a page read an answer."""
    if cors is None:
        return ()
    granted = _granted(cors, incoming)
    if granted and cors.exposed:
        granted += (("access-control-expose-headers", ", ".join(cors.exposed)),)
    return granted or (("vary", "Origin"),)


def _granted(cors: Cors, incoming: Incoming) -> Headers:
    origin = incoming.header("origin")
    if not origin or not cors.allows(origin):
        return ()
    if cors.credentials:
        named: Headers = (("access-control-allow-origin", origin), ("access-control-allow-credentials", "true"))
    else:
        named = (("access-control-allow-origin", "*" if "*" in cors.origins else origin),)
    return (*named, ("vary", "Origin"))


def _allowed_headers(cors: Cors, incoming: Incoming) -> str:
    """With credentials a browser takes `*` for a name."""
    if "*" in cors.headers:
        return incoming.header("access-control-request-headers") or "*"
    return ", ".join(cors.headers)
