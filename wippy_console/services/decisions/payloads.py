"""What an answer sends: the form's values with the declared constants over them, checked by the declared schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wippy_console.models import Decision, Question, Run
from wippy_console.services import schemas
from wippy_console.services.decisions import wire
from wippy_console.services.errors import Refused
from wippy_console.services.exact import Path
from wippy_console.services.questions import Signal


def merged(signal: Signal, form: Any) -> Any:
    """Declared constants win over the form; a declared payload that is not a table is sent as it is."""
    if not isinstance(signal.payload, Mapping):
        return form if signal.payload is None else signal.payload
    return {**(form if isinstance(form, Mapping) else {}), **signal.payload}


def meant(signals: Sequence[Signal], payload: tuple[Any, ...], label: str) -> Signal:
    """The one of several signals of a topic that a message is: by its label, else by the constants that it agrees with.

    Refused (`label`) when none or more than one is; a value beside a constant is never changed to it.
    """
    named = [each for each in signals if label in ("", each.label)]
    fitting = [each for each in named if _agrees(each, *payload)]
    if len(fitting) == 1:
        return fitting[0]
    labels = ", ".join(each.label or "(no label)" for each in signals)
    what = "The payload is none of" if named else f"There is no {label!r} among"
    text = f"Several signals fit: choose one of {labels}." if fitting else f"{what} what is declared: {labels}."
    raise Refused(text, {"label": [text]})


def _agrees(signal: Signal, given: Any = None) -> bool:
    if isinstance(signal.payload, Mapping) and isinstance(given, Mapping):
        return all(given[name] == value for name, value in signal.payload.items() if name in given)
    return given is None or signal.payload is None or given == signal.payload


def checked(signal: Signal, form: Any, reason: str) -> Any:
    """The payload to send; Refused with `fields` and `paths` when form or reason are not as declared."""
    payload = merged(signal, form)
    schemas.refuse_oversize(payload, "The answer")
    paths = schemas.problems(signal.schema, _subject(signal, payload)) if signal.schema is not None else {}
    paths |= schemas.inexact(signal.schema, payload)
    missing = signal.reason == "required" and not reason.strip()
    fields = {"reason": ["A reason is required."]} if missing else {}
    if fields or paths:
        raise Refused("Please correct the marked fields.", fields, paths)
    return payload


def refuse_unfit(signals: Sequence[Signal], payload: Any) -> None:
    """Refused for a message to their topic that is what none of them declares; where there are none, all is taken."""
    found = [_misfit(each, payload) for each in signals]
    if found and all(found):
        raise Refused(f"The payload is not what is declared for {signals[0].topic}.", paths=found[0])


def _misfit(signal: Signal, payload: Any) -> dict[Path, list[str]]:
    if not _agrees(signal, payload):
        return {(): ["This is not what is declared."]}
    return schemas.problems(signal.schema, _subject(signal, payload)) if signal.schema is not None else {}


def _subject(signal: Signal, payload: Any) -> Any:
    """Constants that the schema does not name are the author's business, also under additionalProperties: false."""
    if not isinstance(payload, Mapping) or not isinstance(signal.payload, Mapping) or signal.schema is None:
        return payload
    named = signal.schema.get("properties")
    known = named if isinstance(named, Mapping) else {}
    return {key: item for key, item in payload.items() if key not in signal.payload or key in known}


def answer(user: Any, run: Run, question: Question | None, signal: Signal, value: Any, reason: str) -> Decision:
    """The decision that gives this answer, not recorded yet; of a reason that nobody asks for nothing is kept."""
    return Decision(
        run=run,
        user=user,
        question=question,
        action=wire.SIGNAL,
        topic=signal.topic,
        label=signal.label,
        payload=value,
        reason="" if signal.reason == "none" else reason.strip(),
        via=signal.via,
    )
