"""The actor hosts of a node: one per `process.host` entry, and one for function calls.

Coroutines are for the loop of the node, as `engine.contracts.host.Host` says.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.contracts.host import CallRequest, SpawnRequest, Watcher
from engine.contracts.operations import HostInfo
from engine.entry import Entry
from engine.errors import Failure, UnitFailed
from engine.hosts.actor.actor import Actor, OnEnd
from engine.hosts.actor.budget import Budget
from engine.hosts.actor.failures import (
    HOST_NOT_FOUND,
    NAME_LIKE_PID,
    NODE_STOPPING,
    PID_NOT_REGISTERED,
    host_full,
    name_taken,
)
from engine.hosts.actor.names import is_like_pid
from engine.hosts.actor.options import positive
from engine.hosts.actor.table import Table
from engine.hosts.actor.targets import Targets
from engine.pids import Pid
from engine.program import Program
from engine.steps import Exited, Limits, Message, Value

FUNCTIONS = "functions"


class Pids:
    """Makes the pids of a node. Their `uniq` is `0x`, eight digits of this node's birth, a counter.

    The birth is random, so that a pid kept from before a restart reaches nobody rather than a stranger.
    """

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id
        self._birth = secrets.token_hex(4)
        self._counter = itertools.count(1)

    def next(self, host: str) -> str:
        """A pid that was not used before."""
        return str(Pid(self._node_id, host, f"0x{self._birth}{next(self._counter):05x}"))


class ActorHost:
    """Runs the processes of one `process.host` entry."""

    kind = "process"

    def __init__(
        self, host_id: str, table: Table, targets: Targets, pids: Pids, limits: Limits, budget: Budget
    ) -> None:
        self.id = host_id
        self.limits = limits
        self.max_processes = 0
        self.max_memory = budget.of_host(0)
        self.refused = 0
        self.draining = False
        self.removed = False
        self._base = limits
        self._budget = budget
        self._table = table
        self._targets = targets
        self._pids = pids
        self._running = 0
        self._watchers: dict[tuple[str, str], Watcher] = {}

    @property
    def count(self) -> int:
        """How many units run here."""
        return self._running

    def info(self, waiting: int = 0) -> HostInfo:
        """The host with its limits and what it refused; `waiting` messages lie in the mailboxes of its units."""
        refused = self._table.refused[self.id]
        return HostInfo(
            self.id,
            self._running,
            self.max_processes,
            self.limits.max_queue,
            waiting,
            self.refused,
            refused,
            self._budget.used(self.id),
            self.max_memory,
        )

    def configure(self, entry: Entry) -> None:
        """Take over the limits of the entry; they hold for what starts from now on."""
        settings = entry.data.get("host")
        host: Mapping[str, Any] = settings if isinstance(settings, Mapping) else {}
        self.max_processes = positive(host.get("max_processes"))
        self.max_memory = self._budget.of_host(positive(host.get("max_memory")) << 20)
        most = host.get("limits")
        most = most if isinstance(most, Mapping) else {}
        self.limits = replace(
            self._base,
            max_queue=positive(host.get("queue_size")) or self._base.max_queue,
            max_pending=positive(host.get("max_pending")) or self._base.max_pending,
            most_memory=positive(most.get("memory")) << 20 or self._base.most_memory,
            most_instructions=positive(most.get("instructions")) or self._base.most_instructions,
        )

    # --- the contract of a host, on the loop ---------------------------------------------------

    async def spawn(self, request: SpawnRequest) -> str:
        """Start a process; a live one of the wanted name is used instead and gets the messages."""
        return await self._spawn(request, None)

    async def spawn_watched(self, request: SpawnRequest, token: str, watcher: Watcher) -> str:
        """`spawn` and `watch` in one, so that not even the shortest life goes unseen."""
        return await self._spawn(request, (token, watcher))

    async def send(self, pid: str, topic: str, payloads: tuple[Value, ...], sender: str) -> None:
        """Deliver a message; NotFound, or LimitExceeded when the mailbox is full."""
        _raise(self._table.send(pid, Message(topic, payloads, sender)))

    async def cancel(self, pid: str, reason: str, sender: str) -> None:
        """Deliver CANCEL."""
        _raise(self._table.cancel(pid, reason, sender))

    async def terminate(self, pid: str, reason: str, sender: str) -> None:
        """End the unit now."""
        _raise(self._table.terminate(pid))

    async def watch(self, pid: str, token: str, watcher: Watcher) -> None:
        """Call `watcher` on the loop when the unit ends."""
        with self._table.lock:
            actor = self._table.live(pid)
            if actor is None:
                raise UnitFailed(PID_NOT_REGISTERED)
            self._add_watch(actor, token, watcher)

    async def unwatch(self, pid: str, token: str) -> None:
        """Drop a watch, also when its call is under way already."""
        with self._table.lock:
            self._watchers.pop((pid, token), None)
            if actor := self._table.live(pid):
                actor.on_end.pop(f"watch {token}", None)

    async def _spawn(self, request: SpawnRequest, watch: tuple[str, Watcher] | None) -> str:
        if self.draining or self.removed:
            raise UnitFailed(NODE_STOPPING if self.draining else HOST_NOT_FOUND)
        program = await self._targets.on_thread(self._targets.process, request.entry)
        with self._table.lock:
            actor = self.admit(program, request)
            if isinstance(actor, Failure):
                raise UnitFailed(actor)
            if watch is not None:
                self._add_watch(actor, *watch)
            return actor.pid

    def _add_watch(self, actor: Actor, token: str, watcher: Watcher) -> None:
        key = (actor.pid, token)
        self._watchers[key] = watcher
        actor.on_end[f"watch {token}"] = lambda exited: self._table.bridge.post(lambda: self._notify(key, exited))

    def _notify(self, key: tuple[str, str], exited: Exited) -> None:
        watcher = self._watchers.pop(key, None)
        if watcher is not None:
            watcher(exited)

    # --- for calls and spawns of this node ------------------------------------------------------

    def admit(self, program: Program, request: SpawnRequest) -> Actor | Failure:
        """Start a process, or find the live one that holds the wanted name."""
        if request.name and (holder := self._table.names.holder(request.name)):
            return self._reuse(holder, request)
        if is_like_pid(request.name):
            return NAME_LIKE_PID
        if self.removed:
            return HOST_NOT_FOUND
        if failure := self._refusal():
            return failure
        actor = self._make(self.id, program, request, request.parent)
        for topic, payloads in request.messages:
            actor.put(Message(topic, payloads, request.parent))
        if request.name:
            self._table.names.claim(request.name, actor.pid)
        self._table.begin(actor)
        return actor

    def _refusal(self) -> Failure | None:
        if self.max_processes and self._running >= self.max_processes:
            failure: Failure | None = host_full(self.id, self.max_processes)
        else:
            failure = self._budget.no_process(self.id, self.max_memory)
        self.refused += failure is not None
        return failure

    def admit_callee(self, program: Program, request: CallRequest, ended: OnEnd) -> str | Failure:
        """Start a process for a call and report its end; its pid."""
        spawn = SpawnRequest(
            program.entry_id,
            self.id,
            request.args,
            request.caller,
            context=request.context,
            security=request.security,
            size=request.size,
        )
        actor = self.admit(program, spawn)
        if isinstance(actor, Failure):
            return actor
        actor.on_end["call"] = ended
        return actor.pid

    def _reuse(self, holder: str, request: SpawnRequest) -> Actor | Failure:
        actor = self._table.live(holder)
        if actor is None:  # a unit of another host holds the name
            return name_taken(request.name, holder)
        for topic, payloads in request.messages:
            self._table.send(holder, Message(topic, payloads))
        return actor

    def _make(self, place: str, program: Program, request: SpawnRequest | CallRequest, parent: str) -> Actor:
        pid = self._pids.next(place)
        started = self._table.world.now()
        inherited = request.args, request.context, request.security
        actor = Actor(pid, self.kind, self.id, program, *inherited, parent, self.limits, started)
        actor.family = self._table.family_of(parent) or pid
        self._running += 1
        self._budget.enter(actor, request.size)
        actor.on_end["host"] = self._leave
        return actor

    def _leave(self, exited: Exited) -> None:
        self._running -= 1


class FunctionHost(ActorHost):
    """Runs function calls, each an actor with the function's id as its pid's host."""

    kind = "function"

    def refusal(self, caller: str) -> Failure | None:
        """Why no further call of that family can start now, if so; it counts as refused."""
        failure = self._budget.no_call(caller)
        self.refused += failure is not None
        return failure

    def begin(self, program: Program, request: CallRequest, ended: OnEnd) -> str:
        """Start a function and report its end; its pid."""
        actor = self._make(program.entry_id, program, request, request.caller)
        actor.attempt = request.attempt
        actor.on_end["call"] = ended
        self._table.begin(actor)
        return actor.pid


def _raise(failure: Failure | None) -> None:
    if failure is not None:
        raise UnitFailed(failure)
