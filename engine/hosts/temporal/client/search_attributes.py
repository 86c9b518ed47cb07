"""Which search attributes the namespace has; the values for them are the business of `wire.attributes`."""

from __future__ import annotations

from collections.abc import Mapping

from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType, TypedSearchAttributes
from temporalio.service import RPCError

from engine.hosts.temporal.wire.attributes import Known, guessed, typed
from engine.steps import Value


async def known_to(client: Client) -> Known:
    """What the namespace has; raises RPCError, as when it does not let us ask."""
    request = ListSearchAttributesRequest(namespace=client.namespace)
    response = await client.operator_service.list_search_attributes(request)
    types = response.custom_attributes.items()
    return {name: SearchAttributeIndexedValueType(kind).name for name, kind in types if kind}


async def typed_for(client: Client, table: Mapping[str, Value] | None) -> TypedSearchAttributes | None:
    """The attributes of a start from outside; the server itself refuses what it does not know."""
    if not table:
        return None
    try:
        known = await known_to(client)
    except RPCError:
        known = guessed(table)
    return typed(table, known)
