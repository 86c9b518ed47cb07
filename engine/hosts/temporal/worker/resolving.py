"""Local activities by which a run asks for facts that change: the answers are recorded, replays hear the same."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.common import RawValue

from engine.contracts.catalog import Catalog
from engine.errors import UnitFailed, not_found
from engine.hosts.temporal.client.search_attributes import known_to
from engine.hosts.temporal.node.execution import Activity, translated
from engine.hosts.temporal.programs import current_program, workflow_entry, workflow_type
from engine.hosts.temporal.wire import lookups, payloads
from engine.registry import run_fields


class ResolvingActivities:
    """What the registry and the namespace say now."""

    def __init__(self, catalog: Catalog, client: Client, *, strict: bool = False) -> None:
        self._catalog = catalog
        self._strict = strict
        self._client = client

    def all(self) -> list[Activity]:
        """For the queues of workers."""
        return [self.resolve, self.attributes, self.entropy, self.filled]

    @activity.defn(name=lookups.RESOLVE)
    async def resolve(self, name: str) -> dict[str, Any]:
        """What runs of a workflow type (or of an entry) begin with now: the fields of Resolution."""
        with translated():
            entry = workflow_entry(self._catalog, name)
            program, version = current_program(self._catalog, entry.id)
            return lookups.Resolution(program.digest, version, workflow_type(entry), self._strict).to_json()

    @activity.defn(name=lookups.ATTRIBUTES)
    async def attributes(self) -> Mapping[str, str]:
        """The types of the namespace's search attributes by name, as KEYWORD."""
        return await known_to(self._client)

    @activity.defn(name=lookups.ENTROPY)
    async def entropy(self) -> bytes:
        """32 bytes from the operating system: a run's own generator is seeded by its id, which is no secret."""
        return os.urandom(32)

    @activity.defn(name=lookups.FILLED)
    async def filled(self, entry_id: str, version: int) -> RawValue:
        """What runs read of an entry of a registry version, with placeholders filled in; fails where one can't be."""
        with translated():
            entry = await asyncio.to_thread(self._catalog.entry_at, entry_id, version)
            if entry is None:
                raise UnitFailed(not_found(f"no entry '{entry_id}' in version {version}"))
            return RawValue(payloads.encode(dict(run_fields.fields(entry)), f"what runs read of {entry_id}"))
