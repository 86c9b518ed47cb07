"""Who answers an `Ask`: the actor host itself, or a handler that the node was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.contracts.ask import AskHandler
from engine.hosts.actor.actor import Actor
from engine.hosts.actor.answers import Answer, Deferred
from engine.hosts.actor.failures import unknown_ask
from engine.steps import Ask, Value


@dataclass(frozen=True, slots=True)
class AskHandlers:
    """Answers to `Ask`, by name: the `own` ones under the lock, the others on the loop."""

    own: Mapping[str, Callable[[Actor, tuple[Value, ...]], Answer]]
    others: Mapping[str, AskHandler]

    def answer(self, actor: Actor, command: Ask) -> Answer:
        """The answer to the command."""
        if own := self.own.get(command.name):
            return own(actor, command.args)
        if handler := self.others.get(command.name):
            return Deferred(lambda: handler(actor.pid, command.args))
        return unknown_ask(command.name)
