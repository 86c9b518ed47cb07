"""Messages of a topic, by the schemas of the signals that a run's entry declares."""

from __future__ import annotations

from typing import Any

from wippy_console.models import Run
from wippy_console.services import questions
from wippy_console.services.secrets.masking import masked


def message(run: Run, topic: str, value: Any) -> Any:
    """The value as it may be shown: what any signal of the topic, or the entry, marks is masked."""
    for signal in questions.ever_of(run):
        if signal.topic == topic:
            value = masked(signal.schema, value)
    return run.veil().value(value)
