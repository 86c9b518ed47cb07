"""The other nodes of the fleet: hosts of their actors, reached by standalone activities.

See docs/architecture.md#the-fleet.

A watch stands on both nodes. The one of the watcher keeps the watcher; the one of the watched reports the end,
again and again until that node has heard it or is gone. A watcher is forgotten before it is called, so that an end
that is reported twice, or after the loss of its node was, is heard once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from temporalio.client import Client
from temporalio.service import RPCError

from engine.contracts.directory import Directory
from engine.contracts.host import Host, SpawnRequest, Watcher
from engine.errors import UNAVAILABLE, Failure, UnitFailed, not_found
from engine.hosts.temporal.node.client import NodeClient
from engine.hosts.temporal.wire import requests
from engine.hosts.temporal.wire.requests import Order, Request
from engine.pids import Pid
from engine.steps import Exited, Value

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0

Connect = Callable[[], Awaitable[Client]]
Key = tuple[str, str]
"""A watch: the pid of the watched unit, and the token of the watcher."""

A = TypeVar("A")


class TemporalPeers:
    """All other nodes as the node `node_id` sees them. `connect` gives the client that its requests go by.

    Used on the loop, but for `host`.
    """

    def __init__(self, node_id: str, directory: Directory, connect: Connect) -> None:
        self.node_id = node_id
        self._directory = directory
        self._connect = connect
        # Who here watches what there, by node and (pid, token); and what here is watched from there.
        self._watchers: dict[str, dict[Key, Watcher]] = {}
        self._watched: dict[str, dict[Key, Host]] = {}
        self._asking: dict[str, set[asyncio.Future[Any]]] = {}
        self._tasks: set[asyncio.Future[None]] = set()
        directory.on_lost(self._lost)

    def host(self, node_id: str) -> RemoteNode:
        """The host of that node's actors. From any thread."""
        return RemoteNode(node_id, self)

    def forgotten(self) -> None:
        """Others may have taken this node for dead, and forgotten what it watches there: it asks for it again."""
        for node_id, watchers in self._watchers.items():
            for key in watchers:
                self._begin(self._watch_again(node_id, key))

    async def settle(self, seconds: float) -> None:
        """Wait until other nodes know the ends that they watch, `seconds` at most."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    # --- what units here want of other nodes ------------------------------------------------------

    async def ask(self, node_id: str, request: Request[A]) -> A:
        """The answer of a node; NotFound when it is not alive, or dies before it answers."""
        if not await self._directory.is_alive(node_id):
            raise UnitFailed(_gone(node_id, request))
        answer = asyncio.ensure_future(self._request(node_id, request))
        asking = self._asking.setdefault(node_id, set())
        asking.add(answer)
        try:
            return await answer
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise UnitFailed(_gone(node_id, request)) from None
        finally:
            asking.discard(answer)
            if not asking:
                self._asking.pop(node_id, None)

    async def watch(self, node_id: str, key: Key, watcher: Watcher) -> None:
        """Call `watcher` when the unit ends or its node is lost."""
        self._watchers.setdefault(node_id, {})[key] = watcher
        try:
            await self.ask(node_id, requests.Watch(*key, self.node_id))
        except BaseException:
            # A watcher that was called meanwhile has an answer: the unit ended, or its node did.
            if self._forget(node_id, key) is not None:
                raise

    async def unwatch(self, node_id: str, key: Key) -> None:
        """Drop the watch; a node that does not answer only tells what nobody hears."""
        if self._forget(node_id, key) is not None:
            await self.try_ask(node_id, requests.Unwatch(*key, self.node_id))

    async def try_ask(self, node_id: str, request: Order) -> None:
        """Ask what no longer matters when the node is gone."""
        try:
            await self.ask(node_id, request)
        except UnitFailed as error:
            logger.info("%s of %s: %s", request.name, request.subject, error)

    # --- what other nodes want of this one, for its activities ------------------------------------

    async def watch_for(self, node_id: str, host: Host, pid: str, token: str) -> None:
        """Watch a unit of this node for another one."""
        ours = f"{node_id} {token}"
        watched = self._watched.setdefault(node_id, {})
        watched[pid, ours] = host
        try:
            await host.watch(pid, ours, lambda exited: self._ended(node_id, token, exited))
        except BaseException:
            watched.pop((pid, ours), None)
            raise

    async def unwatch_for(self, node_id: str, host: Host, pid: str, token: str) -> None:
        """Undo `watch_for`."""
        ours = f"{node_id} {token}"
        self._watched.get(node_id, {}).pop((pid, ours), None)
        await host.unwatch(pid, ours)

    def deliver_exit(self, token: str, exited: Exited) -> None:
        """A unit of another node ended."""
        pid = Pid.parse(exited.pid)
        watcher = self._forget(pid.node, (exited.pid, token)) if pid else None
        if watcher is not None:
            watcher(exited)

    # --- inside -----------------------------------------------------------------------------------

    async def _request(self, node_id: str, request: Request[A]) -> A:
        return await NodeClient(await self._connect()).ask(request, node_id)

    def _forget(self, node_id: str, key: Key) -> Watcher | None:
        watchers = self._watchers.get(node_id, {})
        watcher = watchers.pop(key, None)
        if not watchers:
            self._watchers.pop(node_id, None)
        return watcher

    async def _watch_again(self, node_id: str, key: Key) -> None:
        try:
            await self.ask(node_id, requests.Watch(*key, self.node_id))
        except (UnitFailed, RPCError, RuntimeError) as error:
            logger.info("%s can't be watched again: %s", key[0], error)
            await asyncio.sleep(LONGEST_PAUSE)  # how it ended may be on its way
            if (watcher := self._forget(node_id, key)) is not None:
                text = f"how {key[0]} ended was told while this node was taken for dead"
                watcher(Exited(key[0], time.time_ns(), None, Failure(UNAVAILABLE, text, retryable=True)))

    def _ended(self, node_id: str, token: str, exited: Exited) -> None:
        self._watched.get(node_id, {}).pop((exited.pid, f"{node_id} {token}"), None)
        self._begin(self._report(node_id, _sendable(requests.Ended(token, exited))))

    async def _report(self, node_id: str, ended: requests.Ended) -> None:
        pause = FIRST_PAUSE
        while await self._directory.is_alive(node_id):
            try:
                await self.ask(node_id, ended)
                return
            except (UnitFailed, RPCError, RuntimeError) as error:
                logger.info("the end of %s is reported to %s again: %s", ended.subject, node_id, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _lost(self, node_id: str) -> None:
        """Who watches units of that node hears of it, who waits for an answer too; what it watched is forgotten."""
        for answer in self._asking.get(node_id, ()):
            answer.cancel()
        failure = Failure(UNAVAILABLE, f"node '{node_id}' is lost", retryable=True)
        for (pid, _), watcher in self._watchers.pop(node_id, {}).items():
            watcher(Exited(pid, time.time_ns(), None, failure))
        for (pid, ours), host in self._watched.pop(node_id, {}).items():
            self._begin(host.unwatch(pid, ours))

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class RemoteNode:
    """The actors of one other node, as a `PeerHost`."""

    kind = "node"

    def __init__(self, node_id: str, peers: TemporalPeers) -> None:
        self.id = node_id
        self._peers = peers

    async def spawn(self, request: SpawnRequest) -> str:
        """Nothing: a process starts on the node of whoever spawns it."""
        raise UnitFailed(not_found("host not found"))

    async def send(self, pid: str, topic: str, payloads: tuple[Value, ...], sender: str) -> None:
        """Deliver a message, once at most."""
        await self._peers.ask(self.id, requests.Send(pid, topic, payloads, sender))

    async def cancel(self, pid: str, reason: str, sender: str) -> None:
        """Deliver CANCEL."""
        await self._peers.ask(self.id, requests.Cancel(pid, reason, sender))

    async def terminate(self, pid: str, reason: str, sender: str) -> None:
        """End the unit now."""
        await self._peers.ask(self.id, requests.Terminate(pid, reason, sender))

    async def watch(self, pid: str, token: str, watcher: Watcher) -> None:
        """Call `watcher` when the unit ends or its node is lost."""
        await self._peers.watch(self.id, (pid, token), watcher)

    async def unwatch(self, pid: str, token: str) -> None:
        """Drop the watch."""
        await self._peers.unwatch(self.id, (pid, token))

    async def link(self, pid: str, peer: str) -> None:
        """Let the actor there hold its side of a link."""
        await self._peers.ask(self.id, requests.Link(pid, peer))

    async def unlink(self, pid: str, peer: str) -> None:
        """Undo `link`."""
        await self._peers.try_ask(self.id, requests.Unlink(pid, peer))


def _gone(node_id: str, request: Request[Any]) -> Failure:
    return not_found(f"process {request.subject} not found: node '{node_id}' is gone")


def _sendable(ended: requests.Ended) -> requests.Ended:
    """The report of an end; a value that can't be sent is reported as the failure to send it."""
    try:
        ended.encode(f"the value of {ended.subject}")
    except UnitFailed as error:
        return replace(ended, exited=replace(ended.exited, value=None, failure=error.failure))
    return ended
