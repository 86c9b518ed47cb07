"""Queries by their name: which a run offers, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.hosts.temporal.wire.payloads import decode
from wippy_console import permissions
from wippy_console.models import Run
from wippy_console.services.diagnosis.asking import ask
from wippy_console.services.errors import Refused
from wippy_console.services.secrets import hidden
from wippy_console.services.timeline import payloads

LIMIT = 64 * 1024
"""Bytes of an answer that are shown; of a larger one the beginning."""

METADATA = "__temporal_workflow_metadata"
OWN = {
    "state": "what the run waits for, and with which program it works",
    "pid": "the pid of the run",
    "__stack_trace": "where its code stands, as text",
}
"""What the engine itself answers, or the SDK: whoever sees the run may ask it. Any other is code of somebody else."""

_NOT_HERE = ("", METADATA, "__enhanced_stack_trace", "stacks")


@dataclass(frozen=True, slots=True)
class Offered:
    """A query that the run's worker knows."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, masked; {"cut": True, ...} where it is over LIMIT. `size` is all of it, in bytes."""

    value: Any
    size: int


def offered(user: Any, run: Run) -> list[Offered]:
    """Those that the worker names and the user may ask; Unavailable and Refused say why it names none."""
    found = decode(ask(run, METADATA))
    listed = found.get("definition", {}).get("queryDefinitions", []) if isinstance(found, Mapping) else []
    named = {
        str(each.get("name", "")): str(each.get("description", "")) for each in listed if isinstance(each, Mapping)
    }
    known = {**dict.fromkeys(OWN if run.worker else (), ""), **named}
    return [
        Offered(name, words or OWN.get(name, ""))
        for name, words in sorted(known.items(), key=lambda pair: (pair[0].startswith("__"), pair[0]))
        if name not in _NOT_HERE and may_ask(user, run, name)
    ]


def may_ask(user: Any, run: Run, name: str = "") -> bool:
    """Whether the user may ask it: the engine's own, or any for those who may signal the run."""
    if name in OWN and permissions.allows(user, permissions.VIEW_RUN, run.namespace):
        return True
    return permissions.allows(user, permissions.SIGNAL_RUN, run.namespace)


def answer(user: Any, run: Run, name: str, args: Sequence[Any] = ()) -> Answer:
    """Ask it; PermissionDenied, and Refused or Unavailable with a reason. A query changes nothing: no audit."""
    if not (name in OWN and permissions.allows(user, permissions.VIEW_RUN, run.namespace)):
        permissions.require(user, permissions.SIGNAL_RUN, run.namespace)
    if name == "stacks":
        raise Refused("The tab State shows what this query answers.")
    if not name:
        raise Refused("Which query?", {"name": ["Name a query."]})
    found = ask(run, name, args)
    masks = hidden.of(run, user)
    return Answer(masks.masked(payloads.value(found, LIMIT), names=name not in OWN), len(found.data))
