"""By which every request to `/hooks/` comes in, and its answer goes out. No exception leaves by it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http.request import split_domain_port, validate_host

from engine.registry.hooks.paths import LONGEST_PATH
from engine.registry.hooks.route import ANY, METHODS, Route
from wippy_console.database.outages import is_away
from wippy_console.hooks import cors, pool
from wippy_console.hooks.arrivals import arrivals
from wippy_console.hooks.exchange import BadRequest, Exchange, Left, Receive, Scope, Send, TooLarge
from wippy_console.models import Delivery
from wippy_console.services.errors import Refused, Unavailable
from wippy_console.services.hooks import (
    Accepted,
    Act,
    Headers,
    Incoming,
    Match,
    MethodNotAllowed,
    NotFound,
    Options,
    Reply,
    Try,
    acting,
    calling,
    outcomes,
    problem,
    receiving,
    replies,
    routes,
)
from wippy_console.services.rates import Rate

logger = logging.getLogger(__name__)

PREFIX = "/hooks/"
MOST_OPEN = 500
"""Requests in one process."""


class Door:
    """An ASGI application. A request has a `Reply`, or its answer was sent in pieces (None)."""

    def __init__(self) -> None:
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, whatever happens."""
        exchange = Exchange(scope, receive, send)
        self._open += 1
        try:
            reply = await self._reply(exchange)
            if exchange.has_begun:
                await exchange.send(b"", is_last=True)
            elif reply is not None:
                await exchange.answer(reply)
        except Left:
            pass
        finally:
            self._open -= 1
            exchange.close()

    async def _reply(self, exchange: Exchange) -> Reply | None:
        try:
            if self._open > MOST_OPEN:
                return problem(503, pool.CROWDED)
            return await _enter(exchange)
        except BadRequest as error:
            return problem(400, str(error))
        except Unavailable as error:
            return problem(503, error.message)
        except Left:
            raise
        except Exception as error:
            if is_away(error):
                return problem(503, replies.AWAY)
            logger.exception("%s %s failed", exchange.scope["method"], exchange.scope["path"])
            return problem(500, replies.BROKEN)


async def _enter(exchange: Exchange) -> Reply | None:
    incoming = exchange.incoming()
    if refused := _unheard(incoming):
        return refused
    if cors.is_preflight(incoming) and (asked := await _preflight(exchange, incoming)):
        return asked
    path = routes.below(exchange.scope)
    found = await pool.run(lambda: routes.find(incoming.method, path))
    if isinstance(found, Match):
        exchange.is_open_to_all = found.route.cors is not None
        return await _through(exchange, found.route, replace(incoming, params=found.params))
    return _without_route(found, incoming)


def _unheard(incoming: Incoming) -> Reply | None:
    """What is refused whatever it asks for."""
    if not _is_our_host(incoming.header("host")):
        return problem(400, "This host is not one of this console's (ALLOWED_HOSTS).")
    if settings.SECURE and incoming.header("x-forwarded-proto") != "https":
        return problem(403, "Send it by https.")
    if incoming.method not in METHODS or incoming.method == ANY:
        return problem(501, "There is no such method here.")
    if len(incoming.path) > LONGEST_PATH:
        return problem(414, f"A path may have up to {LONGEST_PATH} letters.")
    return None


async def _preflight(exchange: Exchange, incoming: Incoming) -> Reply | None:
    """The answer where the address that a page wants to ask has rules for pages."""
    path, method = routes.below(exchange.scope), incoming.header("access-control-request-method")
    found = await pool.run(lambda: routes.find(method, path))
    rules = found.route.cors if isinstance(found, Match) else None
    return cors.preflight(rules, incoming) if rules is not None else None


def _without_route(found: Options | MethodNotAllowed | NotFound, incoming: Incoming) -> Reply:
    match found:
        case Options(allow, known):
            return Reply(204, (("allow", ", ".join(allow)), *cors.headers(known, incoming)))
        case MethodNotAllowed(allow):
            listed = ", ".join(allow)
            return problem(405, f"This address takes {listed}.", headers=(("allow", listed),))
        case NotFound():
            return problem(404, "There is nothing at this address.")


def _is_our_host(host: str) -> bool:
    domain, _ = split_domain_port(host)
    allowed = settings.ALLOWED_HOSTS or (["localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
    return bool(domain) and validate_host(domain, allowed)


async def _through(exchange: Exchange, route: Route, incoming: Incoming) -> Reply | None:
    rate: Rate | None = None
    declared = incoming.header("content-length")
    try:
        rate = await pool.run(lambda: receiving.rated(route, incoming))
        if rate is not None and rate.is_over:
            over = rate
            reply: Reply | None = await pool.run(lambda: receiving.too_often(route, incoming, over))
        elif declared.isdecimal() and int(declared) > route.max_body:
            raise TooLarge
        else:
            incoming = replace(incoming, body=await exchange.body(route.max_body))
            more = (*_told(rate), *cors.headers(route.cors, incoming))
            reply = await _received(exchange, route, incoming, more)
    except TooLarge:
        reply = await pool.run(lambda: receiving.too_large(route, incoming))
    return reply and reply.plus(*_told(rate), *cors.headers(route.cors, incoming))


def _told(rate: Rate | None) -> Headers:
    return tuple((name.lower(), value) for name, value in rate.headers.items()) if rate else ()


async def _received(exchange: Exchange, route: Route, incoming: Incoming, more: Headers) -> Reply | None:
    found = await pool.run(lambda: receiving.receive(route, incoming))
    if isinstance(found, Reply):
        return found
    if found.delivery.act == Act.CALL:
        return await _called(exchange, route, found.delivery, more)
    return await _acted(route, found)


# --- starts and signals ---------------------------------------------------------------------------


async def _acted(route: Route, accepted: Accepted) -> Reply:
    """What can't be done now is done by the worker that leads: its row is there."""
    delivery = accepted.delivery
    try:
        outcome = await pool.act(lambda: acting.act(delivery, route, accepted.value))
    except pool.Crowded:
        outcome = outcomes.waiting(delivery)
    except (DatabaseError, InterfaceError) as error:
        if not is_away(error):
            raise
        logger.warning("the database does not answer, delivery %s waits: %s", delivery.pk, error)
        outcome = outcomes.waiting(delivery)
    return Reply(outcome.status, (("content-type", outcome.media_type),), outcome.body)


# --- functions ------------------------------------------------------------------------------------


async def _called(exchange: Exchange, route: Route, delivery: Delivery, more: Headers) -> Reply | None:
    """A client that leaves before the answer begins does not end the call: it is told when it comes again."""
    timeout = timedelta(seconds=route.timeout)
    try:
        future = await pool.act(lambda: calling.begin(delivery, route.target, timeout))
    except Exception:
        of = Try(delivery.pk, delivery.tries)
        with suppress(DatabaseError, InterfaceError, Refused):  # it is not under way: its sender may come again
            await pool.run(lambda: calling.fail(of, 503, pool.CROWDED))
        raise
    served = asyncio.wrap_future(future)
    with arrivals.of(delivery.id, calling.arrived) as arrived:
        first: set[asyncio.Future[Any]] = {served, arrived, exchange.left()}
        done, _ = await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    if done == {exchange.left()}:
        raise Left
    if served in done:
        served.result()
    row = await pool.run(lambda: Delivery.objects.get(pk=delivery.pk))
    if row.is_streamed:
        await _stream(exchange, row, more)
        return None
    return receiving.told(row)


async def _stream(exchange: Exchange, row: Delivery, more: Headers) -> None:
    """Pieces as they come, until the last, or the client leaves."""
    headers = tuple((str(name), str(value)) for name, value in row.answer_headers)
    await exchange.begin(row.status or 200, (*headers, *more))
    left, is_open = exchange.left(), True
    try:
        while is_open and not left.done() and exchange.scope["method"] != "HEAD":
            data, is_open = await _taken(row)
            if data:
                await exchange.send(data)
            elif is_open:
                with arrivals.of(row.pk, calling.coming) as more_comes:
                    await asyncio.wait({left, more_comes}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if is_open:
            of = Try(row.pk, row.tries)
            with suppress(DatabaseError, InterfaceError, Refused):
                await pool.run(lambda: calling.leave(of))


async def _taken(row: Delivery) -> tuple[bytes, bool]:
    """The next pieces; while the database is away, none."""
    try:
        return await pool.run(lambda: calling.take(row.pk))
    except (DatabaseError, InterfaceError, pool.Crowded) as error:
        logger.warning("the next piece of delivery %s can't be read yet: %s", row.pk, error)
        await asyncio.sleep(1)
        return b"", True


door = Door()
