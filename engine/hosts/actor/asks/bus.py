"""The event bus of a node (docs/lua.md#events): in memory, best effort, for the units of this node alone.

An event reaches a unit as a message on a topic that nobody else can send to; the kernel hands it to the channel of its
subscription. A subscription is in flight (`Actor.pending`) until its unit closes it, ends or goes on as another body.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.errors import LIMIT_EXCEEDED, PERMISSION_DENIED, Failure, UnitFailed, invalid
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.asks.wildcards import BadPatternError, Wildcard
from engine.hosts.actor.table import Table
from engine.registry.changes import Changes
from engine.steps import Message, Value

logger = logging.getLogger(__name__)

TOPIC = "@events"
REGISTRY = "registry"
MAX_SUBSCRIPTIONS = 4096


@dataclass(slots=True, eq=False)
class Subscription:
    """What one unit wants to hear; `number` is the unit's own for it, `kind` None means all."""

    bus: Bus
    pid: str
    number: int
    system: Wildcard
    kind: Wildcard | None

    def abandon(self) -> None:
        """Hear no more."""
        self.bus.subscriptions.pop((self.pid, self.number), None)

    def pass_on_cancel(self, reason: str) -> None:
        """Nothing: a canceled unit may still listen."""

    def wants(self, system: str, kind: str) -> bool:
        """Whether it fits."""
        return self.system.matches(system) and (self.kind is None or self.kind.matches(kind))


class Bus:
    """The subscriptions of a node's units."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.subscriptions: dict[tuple[str, int], Subscription] = {}

    def publish(self, system: str, kind: str, path: str, data: Value = None) -> None:
        """Deliver an event to all who subscribed to it; from any thread. Who has a full mailbox misses it."""
        event = {"system": system, "kind": kind, "path": path, **({} if data is None else {"data": data})}
        with self._table.lock:
            subscriptions = list(self.subscriptions.values())
        chosen = [each for each in subscriptions if each.wants(system, kind)]
        for each in chosen:
            with self._table.lock:
                self._deliver(each, event)

    def announce(self, changes: Changes) -> None:
        """Publish changes of the registry: what changed, not what is in it."""
        for entry in changes.create:
            self.publish(REGISTRY, "entry.create", entry.id, {"id": entry.id, "kind": entry.kind})
        for entry in changes.update:
            self.publish(REGISTRY, "entry.update", entry.id, {"id": entry.id, "kind": entry.kind})
        for entry_id in changes.delete:
            self.publish(REGISTRY, "entry.delete", entry_id, {"id": entry_id})

    # --- answers to `Ask` --------------------------------------------------------------------------

    def ask_handlers(self) -> Mapping[str, Callable[[Actor, tuple[Value, ...]], Value | Failure]]:
        """Those that answer at once, by name."""
        return {"events.subscribe": self.subscribe, "events.unsubscribe": self.unsubscribe}

    def subscribe(self, actor: Actor, args: tuple[Value, ...]) -> Value | Failure:
        """Begin to hear: (number, system[, kind]) -> True."""
        number, system, *kinds = args
        kind = kinds[0] if kinds else None
        if len(self.subscriptions) >= MAX_SUBSCRIPTIONS:
            return Failure(LIMIT_EXCEEDED, f"the node has {MAX_SUBSCRIPTIONS} subscriptions already", retryable=True)
        try:
            wanted = None if kind in (None, "*") else Wildcard(str(kind))
            subscription = Subscription(self, actor.pid, number, Wildcard(system), wanted)
        except BadPatternError as error:
            return invalid(f"events: {error}")
        # Beside the commands in flight, whose numbers are positive: it ends with them.
        actor.pending[-number] = self.subscriptions[actor.pid, number] = subscription
        return True

    def unsubscribe(self, actor: Actor, args: tuple[Value, ...]) -> Value | Failure:
        """Hear no more: (number) -> True."""
        if subscription := actor.pending.pop(-args[0], None):
            subscription.abandon()
        return True

    async def send(self, pid: str, args: tuple[Value, ...]) -> Value:
        """`events.send`: (system, kind, path[, data]) -> True."""
        system, kind, path, *data = args
        if system == REGISTRY:
            text = "not allowed: only the registry tells of its changes"
            raise UnitFailed(Failure(PERMISSION_DENIED, text, retryable=False))
        self.publish(system, kind, path, *data)
        return True

    def _deliver(self, subscription: Subscription, event: Value) -> None:
        actor = self._table.live(subscription.pid)
        if actor is None or (subscription.pid, subscription.number) not in self.subscriptions:
            return
        if actor.mailbox >= actor.limits.max_queue:
            logger.warning("%s has a full mailbox and misses an event of %s", actor.pid, event["system"])
            return
        self._table.deliver(actor, Message(TOPIC, (subscription.number, event)))
