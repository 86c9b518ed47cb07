"""What those who start units need of the hosts that take them in."""

from __future__ import annotations

from typing import Protocol

from engine.contracts.host import CallRequest, SpawnRequest
from engine.errors import Failure
from engine.hosts.actor.actor import Actor, OnEnd
from engine.program import Program


class ProcessStarter(Protocol):
    """An actor host, as calls and spawns see it."""

    def admit(self, program: Program, request: SpawnRequest) -> Actor | Failure:
        """Start a process, or find the live one that holds the wanted name."""
        ...

    def admit_callee(self, program: Program, request: CallRequest, ended: OnEnd) -> str | Failure:
        """Start a process for a call and report its end; its pid."""
        ...


class FunctionStarter(Protocol):
    """The host of functions, as calls see it."""

    draining: bool

    def refusal(self, caller: str) -> Failure | None:
        """Why no further call of that family can start now, if so; it counts as refused."""
        ...

    def begin(self, program: Program, request: CallRequest, ended: OnEnd) -> str:
        """Start a function and report its end; its pid."""
        ...
