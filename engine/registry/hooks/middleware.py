"""What a router does to all of its endpoints: `middleware` and `options`, as the reference names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from engine.registry.hooks import auth, limits
from engine.registry.hooks.limits import Rate
from engine.registry.hooks.unreadable import Unreadable
from engine.registry.problems import Severity
from engine.registry.words import did_you_mean, names

CORS, RATELIMIT = "cors", "ratelimit"
HERE = (CORS, RATELIMIT)
ELSEWHERE = {
    "compress": "a proxy compresses",
    "real_ip": "addresses are those that the web server sees, or its proxy tells",
    "metrics": "the console counts deliveries itself",
    "otel": "the console traces nothing",
}
"""Accepted, and of no effect: why."""
REFUSED = {
    "token_auth": "say `auth: {token: {secret_env: NAME}}` on the router or endpoint",
    "endpoint_firewall": "say `auth` on the router or endpoint",
    "resource_firewall": "say `auth` on the router or endpoint",
    "websocket_relay": "no sockets are relayed here",
    "sse_relay": "a function may send events itself: `res:write_event`",
    "sendfile": "a function writes its answer itself: `res:write`",
}
"""Left out they would leave a door open, or an answer empty: what to do instead."""
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
HEADERS = ("Origin", "Content-Type", "Accept", "Authorization", "X-Requested-With")
MAX_AGE = 86_400
_OPTIONS = {
    CORS: names("allow.origins allow.methods allow.headers expose.headers allow.credentials max.age "
                "allow.private.network"),
    RATELIMIT: names("requests window burst key cleanup_interval entry_ttl max_entries"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cors:
    """Which pages of other origins may ask. `origins` are as they are written: `*`, or `https://*.example.com`."""

    origins: tuple[str, ...] = ("*",)
    methods: tuple[str, ...] = METHODS
    headers: tuple[str, ...] = HEADERS
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int = MAX_AGE
    private_network: bool = False

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin may ask."""
        return any(_fits(origin.lower(), each.lower()) for each in self.origins)


def _fits(origin: str, allowed: str) -> bool:
    """`*.example.com` is any name below it, at any depth, of the scheme that is written or any."""
    scheme, _, host = allowed.rpartition("://")
    if allowed in ("*", origin):
        return True
    if not host.startswith("*."):
        return bool(host) and not scheme and origin.partition("://")[2] == host
    given, _, name = origin.partition("://")
    return (not scheme or scheme == given) and name.endswith(host[1:]) and len(name) > len(host) - 1


def cors(router: Mapping[str, Any]) -> Cors | None:
    """What a router's data says of other origins, None without the middleware; Unreadable."""
    if CORS not in _listed(router):
        return None
    given = options(router, CORS)
    origins = _words(given, "allow.origins", ("*",))
    if "*" in origins and _flag(given, "allow.credentials"):
        text = "says that pages of all origins may send credentials"
        raise Unreadable(text, "options.cors.allow.credentials", "name the origins: cors.allow.origins")
    return Cors(
        origins=origins,
        methods=tuple(each.upper() for each in _words(given, "allow.methods", METHODS)),
        headers=_words(given, "allow.headers", HEADERS),
        exposed=_words(given, "expose.headers", ()),
        credentials=_flag(given, "allow.credentials"),
        max_age=_age(given.get("max.age", MAX_AGE)),
        private_network=_flag(given, "allow.private.network"),
    )


def rate(router: Mapping[str, Any], router_id: str) -> Rate | None:
    """How often a router may be asked, by `ratelimit`; None without it; Unreadable."""
    if RATELIMIT not in _listed(router):
        return None
    given = options(router, RATELIMIT)
    requests = limits.requests_of(given.get("requests", 100), "options.ratelimit.requests")
    window = limits.window_of(given.get("window", "1m"), "options.ratelimit.window")
    key = given.get("key", "ip")
    kind, _, name = str(key).partition(":")
    if key != "ip" and kind != "header":
        raise Unreadable('must be "ip" or "header:NAME"', "options.ratelimit.key")
    header = auth.header(name, "options.ratelimit.key") if kind == "header" else ""
    return Rate(requests, window, router_id, header)


def options(router: Mapping[str, Any], middleware: str) -> dict[str, Any]:
    """The options below a middleware's name, with dots for the old form's underscores."""
    found: dict[str, Any] = {}
    for field, value in _option_fields(router):
        for mark in (".", "_"):
            if field.startswith(middleware + mark):
                found[_dotted(middleware, field.removeprefix(middleware + mark))] = value
    return found


def check(router: Mapping[str, Any]) -> Iterator[tuple[Severity, Unreadable]]:
    """(severity, what is wrong) of a router's middleware and options."""
    for field in ("middleware", "post_middleware"):
        listed = router.get(field)
        for place, name in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(name, str) and name not in HERE:
                yield _of_name(name, f"{field}.{place}")
    for name in HERE:
        yield from _of_options(router, name)
    for read in (cors, partial(rate, router_id="")):
        try:
            read(router)
        except Unreadable as error:
            yield "error", error


def _of_options(router: Mapping[str, Any], name: str) -> Iterator[tuple[Severity, Unreadable]]:
    given = options(router, name)
    if given and name not in _listed(router):
        yield "warning", Unreadable(f"has no effect: `{name}` is not in middleware", f"options.{name}")
    for option in given:
        if option not in _OPTIONS[name]:
            hint = did_you_mean(option, _OPTIONS[name])
            yield "warning", Unreadable(f"`{name}` has no option `{option}`", f"options.{name}.{option}", hint)


def _of_name(name: str, field: str) -> tuple[Severity, Unreadable]:
    if name in REFUSED:
        return "error", Unreadable(f"there is no `{name}` here", field, REFUSED[name])
    if name in ELSEWHERE:
        return "warning", Unreadable(f"`{name}` has no effect: {ELSEWHERE[name]}", field)
    known = (*HERE, *ELSEWHERE)
    return "error", Unreadable(f"there is no middleware `{name}`", field, did_you_mean(name, known))


def _listed(router: Mapping[str, Any]) -> list[Any]:
    found = [router.get("middleware"), router.get("post_middleware")]
    return [name for each in found if isinstance(each, list) for name in each]


def _option_fields(router: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("options", "post_options"):
        given = router.get(name)
        yield from given.items() if isinstance(given, Mapping) else ()


def _dotted(middleware: str, option: str) -> str:
    spelled = {each.replace(".", "_"): each for each in _OPTIONS[middleware]}
    return spelled.get(option.replace(".", "_"), option)


def _words(given: Mapping[str, Any], option: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = given.get(option)
    if value is None:
        return default
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(each, str) for each in words):
        raise Unreadable("must be text, separated by commas", f"options.cors.{option}")
    if any(ord(letter) < 32 or ord(letter) > 126 for each in words for letter in each):
        raise Unreadable("must be of plain letters", f"options.cors.{option}")
    return tuple(each.strip() for each in words if each.strip())


def _flag(given: Mapping[str, Any], option: str) -> bool:
    value = given.get(option, False)
    if str(value).lower() not in ("true", "false"):
        raise Unreadable("must be true or false", f"options.cors.{option}")
    return str(value).lower() == "true"


def _age(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise Unreadable("must be a number of seconds", "options.cors.max.age")
    return int(text)
