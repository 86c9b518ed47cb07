"""Business keys of runs as one search attribute of Temporal's: `WippyKeys`, a list of texts like `order.id=42`.

A help for whoever asks Temporal itself: a run starts without them where the namespace does not take them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from engine.hosts.temporal.client.search_attributes import known_to

ATTRIBUTE = "WippyKeys"
MAX_LENGTH = 250  # some visibility stores hold no longer keyword
ASKED_AGAIN = 30.0
"""Seconds after which a namespace that had no such attribute is asked again."""

_KEY = SearchAttributeKey.for_keyword_list(ATTRIBUTE)
_known: dict[tuple[str, str], tuple[bool, float]] = {}


async def register(client: Client) -> str:
    """Make the attribute where it is missing; gives why it can't be made, "" when it is there."""
    try:
        if await _has(client):
            return ""
        kind = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST
        request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes={ATTRIBUTE: kind})
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        return "" if error.status == RPCStatusCode.ALREADY_EXISTS else error.message
    return ""


async def attribute(client: Client, keys: Sequence[str]) -> SearchAttributePair[Sequence[str]] | None:
    """The attribute with these keys; None where there are none, or no such attribute. Raises nothing."""
    fitting = [key for key in keys if len(key.encode()) <= MAX_LENGTH]
    return SearchAttributePair(_KEY, fitting) if fitting and await _is_known(client) else None


async def is_taken(client: Client) -> bool:
    """Whether the namespace has the attribute, as far as it lets us ask."""
    return await _is_known(client)


def joined(others: TypedSearchAttributes | None, own: SearchAttributePair[Sequence[str]]) -> TypedSearchAttributes:
    """Both; what an author gives the attribute of that name counts."""
    pairs = list(others or ())
    return TypedSearchAttributes(pairs if any(pair.key.name == ATTRIBUTE for pair in pairs) else [*pairs, own])


def doubt(client: Client) -> None:
    """The server did not take it: it may just have been made, and not be known to all of the server."""
    _known[_place(client)] = False, time.monotonic()


async def _is_known(client: Client) -> bool:
    found, at = _known.get(_place(client), (False, -ASKED_AGAIN))
    if found or time.monotonic() - at < ASKED_AGAIN:
        return found
    try:
        found = await _has(client)
    except RPCError:
        found = False
    _known[_place(client)] = found, time.monotonic()
    return found


async def _has(client: Client) -> bool:
    return (await known_to(client)).get(ATTRIBUTE) == "KEYWORD_LIST"


def _place(client: Client) -> tuple[str, str]:
    return client.service_client.config.target_host, client.namespace
