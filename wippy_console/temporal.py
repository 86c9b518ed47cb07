"""Temporal's client for synchronous code: one event loop thread per OS process, one client per temporal.client entry."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from temporalio.client import Client

from engine.hosts.temporal import WorkflowHost

T = TypeVar("T")


def run(coro: Coroutine[Any, Any, T], timeout: float = 15.0) -> T:
    """Run `coro` on the loop thread and wait; failures of the connection and running late are Unavailable."""
    raise NotImplementedError


def host(worker_id: str) -> WorkflowHost:
    """The client side of a temporal.worker entry; NotFoundError, Unavailable."""
    raise NotImplementedError


def client(client_id: str) -> Client:
    """The connected client of a temporal.client entry; NotFoundError, Unavailable."""
    raise NotImplementedError
