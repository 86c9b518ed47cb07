"""A run's history as it may be shown: the events that carry what a form sent, with its secrets masked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from temporalio.api.common.v1 import Payloads
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import WorkflowHistory

from engine.hosts.temporal.wire.payloads import decode, encode
from wippy_console.models import Run
from wippy_console.models.masks import turn
from wippy_console.services import histories, masking, questions, registry
from wippy_console.services.errors import NotFoundError
from wippy_console.services.masking import Veil
from wippy_console.services.secrets.everywhere import Everywhere, hidden
from wippy_console.services.secrets.masking import holds, masked

Mask = Callable[[Any], Any]

_UPDATES = {
    "workflow_execution_update_admitted_event_attributes": "request",
    "workflow_execution_update_accepted_event_attributes": "accepted_request",
    "workflow_execution_update_rejected_event_attributes": "rejected_request",
}
"""Where events keep what an update sent, which may be an answer as a signal is."""


def history(run: Run, user: Any) -> WorkflowHistory:
    """Its whole history as the user may see it (None: nobody in particular); NotFoundError, Unavailable."""
    found = histories.read(run)
    return WorkflowHistory(found.workflow_id, Shown(run, sees=masking.sees(user, run)).more(found.events))


class Shown:
    """The events of a run as they may be shown, given in pieces, in their order; `sees`: whether masked ones are."""

    def __init__(self, run: Run, *, sees: bool) -> None:
        self._run, self._sees = run, sees
        self._masks = _Masks(run)
        self._everywhere = None if sees else Everywhere(run)

    def more(self, events: Iterable[HistoryEvent]) -> list[HistoryEvent]:
        """The next events; those in which nothing is masked are the very same."""
        found = self._masks.all(events)
        return found if self._everywhere is None else self._everywhere.all(found)

    def again(self, events: Sequence[HistoryEvent]) -> list[HistoryEvent]:
        """Any of those that were given before."""
        found = self._masks.all(events)
        return found if self._everywhere is None else self._everywhere.again(found)

    def veil(self) -> Veil:
        """What hides the same in what is said beside the events."""
        return Veil(()) if self._everywhere is None else self._everywhere.veil()

    def afresh(self) -> Shown:
        """The same before the first event."""
        return Shown(self._run, sees=self._sees)

    def stamp(self) -> tuple[Hashable, ...]:
        """What the masks are now: once it differs, what was shown before may have to be shown anew."""
        return (turn(), self._run.mask, *self._masks.topics())


def describe(run: Run, user: Any) -> DescribeWorkflowExecutionResponse:
    """What Temporal knows of the run now, as the user may see it; NotFoundError, Unavailable."""
    return hidden(histories.describe(run), veil(run, user))


def veil(run: Run, user: Any) -> Veil:
    """What hides from the user whatever is masked in what the run says beside its history: queries, locals, retries."""
    if masking.sees(user, run):
        return Veil(())
    everywhere = Everywhere(run)
    everywhere.learn(list(histories.read(run).events))
    return everywhere.veil()


@dataclass(frozen=True)
class _Masks:
    """What to mask in the events of a run."""

    run: Run

    def all(self, events: Iterable[HistoryEvent]) -> list[HistoryEvent]:
        """The events; those without secrets are the very same."""
        return [self._event(event) for event in events]

    def topics(self) -> list[str]:
        """Those of messages that hold secrets."""
        return sorted(topic for topic, schemas in self._signals.items() if schemas)

    def _event(self, event: HistoryEvent) -> HistoryEvent:
        which = event.WhichOneof("attributes") or ""
        match which:
            case "workflow_execution_started_event_attributes":
                return _with(event, which, self._inputs)
            case "workflow_execution_continued_as_new_event_attributes":
                return _with(event, which, self._inputs)
            case "workflow_execution_signaled_event_attributes":
                topic = event.workflow_execution_signaled_event_attributes.signal_name
                return _with(event, which, self._signals.get(topic, []))
            case "start_child_workflow_execution_initiated_event_attributes":
                name = event.start_child_workflow_execution_initiated_event_attributes.workflow_type.name
                return _with(event, which, self._of(name))
            case _ if which in _UPDATES:
                topic = getattr(getattr(event, which), _UPDATES[which]).input.name
                return _with(event, which, self._signals.get(topic, []))
        return event

    @cached_property
    def _inputs(self) -> list[Any]:
        return _schemas([_input_schema(self.run.entry_id, self.run.registry_version)])

    @cached_property
    def _signals(self) -> dict[str, list[Any]]:
        declared = questions.ever_of(self.run)
        return {each.topic: _schemas(one.schema for one in declared if one.topic == each.topic) for each in declared}

    @cached_property
    def _children(self) -> dict[str, list[Any]]:
        return {}

    def _of(self, name: str) -> list[Any]:
        if name not in self._children:
            self._children[name] = _schemas([_input_schema(name, self.run.registry_version)])
        return self._children[name]


def _schemas(found: Iterable[Any]) -> list[Any]:
    return [schema for schema in found if holds(schema)]


def _input_schema(entry_id: str, version: int | None) -> Any:
    for at in dict.fromkeys([version, None]):
        try:
            return registry.entry(entry_id, at=at).meta.get("input_schema")
        except NotFoundError:
            continue
    return None


def _with(event: HistoryEvent, which: str, schemas: list[Any]) -> HistoryEvent:
    """A copy whose first argument is masked."""
    if not schemas:
        return event
    copy = HistoryEvent()
    copy.CopyFrom(event)
    given = _given(getattr(copy, which), _UPDATES.get(which))
    if not given.payloads:
        return event
    value = decode(given.payloads[0])
    for schema in schemas:
        value = masked(schema, value)
    given.payloads[0].CopyFrom(encode(value, "a masked value"))
    return copy


def _given(attributes: Any, request: str | None) -> Payloads:
    found: Payloads = getattr(attributes, request).input.args if request else attributes.input
    return found
