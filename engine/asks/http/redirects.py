"""Where a redirect leads. Each step is a request anew, with the checks of one."""

from __future__ import annotations

import httpx

from engine.asks.http import urls
from engine.asks.http.connections import Answered
from engine.asks.http.failures import broken, exceeded
from engine.asks.http.limits import MAX_REDIRECTS
from engine.asks.http.requests import Hop, Request
from engine.errors import UnitFailed

STATUSES = frozenset({301, 302, 303, 307, 308})
KEEPING = frozenset({307, 308})


def next_hop(request: Request, response: Answered) -> Hop | None:
    """The next step, None when the response is an answer. Sockets know no other hosts: their redirects are answers."""
    location = response.headers.get("location")
    if response.status not in STATUSES or not location or request.socket:
        return None
    count = request.hop.count + 1 if request.hop else 1
    if count > MAX_REDIRECTS:
        raise exceeded(f"{request.what}: more than {MAX_REDIRECTS} redirects")
    bodiless = response.status not in KEEPING and request.method != "HEAD"
    target = _target(request, location, keeps_body=not bodiless)
    method = "GET" if bodiless else request.method
    before = request.hop
    foreign = bool(before and before.foreign) or not urls.same_origin(request.url, target)
    return Hop(str(target), method, count, foreign, bodiless or bool(before and before.bodiless))


def _target(request: Request, location: str, *, keeps_body: bool) -> httpx.URL:
    """Credentials in it are left out: they are the peer's, not ours."""
    try:
        target = urls.without_userinfo(urls.read_url(str(request.url.join(location))))
    except (UnitFailed, httpx.InvalidURL, ValueError) as error:
        raise broken(request.what, "the peer redirects to what is no URL", retryable=False) from error
    if keeps_body and request.body and request.url.scheme == "https" and target.scheme == "http":
        raise broken(request.what, "the peer redirects a body from https to http", retryable=False)
    return target
