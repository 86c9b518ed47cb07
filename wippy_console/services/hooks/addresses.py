"""What a page says of an entry that serves requests: its addresses, how to ask them, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.entry import Entry
from engine.registry.hooks.auth import Basic, Hmac, Open, Token
from engine.registry.hooks.route import ENDPOINT, ROUTER, SERVICE, WORKFLOW, Route
from wippy_console.services import registry, temporal
from wippy_console.services.hooks import auth, curl, routes

MOST = 100


@dataclass(frozen=True, slots=True)
class Address:
    """One route in words. `problem` says why nobody is let in, "" when all is well."""

    route: Route
    url: str
    proof: str
    curl: str
    problem: str


@dataclass(frozen=True, slots=True)
class Served:
    """What is served at or below an entry, and why what is declared is not; `more` are not listed."""

    addresses: tuple[Address, ...]
    closed: tuple[str, ...]
    more: int = 0


def served(user: Any, entry: Entry, base: str) -> Served | None:
    """The addresses of an entry as it is now, None when it is of no such kind. `base` is where the browser came to."""
    if entry.kind not in (ENDPOINT, ROUTER, SERVICE) and not (entry.kind == WORKFLOW and "webhooks" in entry.meta):
        return None
    temporal.catalog().refresh()  # who has just published comes here next
    every = [each for each in routes.below_entry(entry.id) if registry.sees(user, each.endpoint)]
    found = tuple(_address(each, base) for each in every[:MOST])
    closed = tuple(_sentence(each.field, each.message, each.hint) for each in routes.closed(entry.id))
    return Served(found, closed, len(every) - len(found))


def _address(route: Route, base: str) -> Address:
    return Address(route, base.rstrip("/") + route.address, _proof(route), curl.line(route, base), auth.problem(route))


def _proof(route: Route) -> str:
    match route.auth:
        case Open():
            return "Whoever knows the address may send."
        case Hmac(header=header, algorithm=algorithm):
            return f"Senders sign in {header} (HMAC, {algorithm.upper()})."
        case Token(header=header):
            return f"Senders give {'a bearer token' if header == 'authorization' else f'a token in {header}'}."
        case Basic(username=username):
            return f"Senders give the password of {username}."


def _sentence(field: str, message: str, hint: str) -> str:
    text = f"{field}: {message}" if field else message
    return f"{text} ({hint})." if hint else f"{text}."
