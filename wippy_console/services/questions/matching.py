"""Which waits are questions, and which question a message answers: what a run waits for meets what its entry declares.

A *channel* is what a run waits on: the topic that it listens to, or the inbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.steps import Wait
from wippy_console.models import Question, Run
from wippy_console.services.questions.signals import Signal

INBOX = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: the signals that answer it, by topic and label, and the groups that may."""

    channel: str
    number: int
    topics: tuple[str, ...]
    labels: tuple[str, ...]
    roles: tuple[str, ...]


def asked(waits: Iterable[Wait], signals: Sequence[Signal]) -> dict[tuple[str, int], Asked]:
    """The questions of a run that waits so, by channel and number; what no signal answers is none."""
    listened = {wait.name: wait.seq for wait in waits if wait.kind == "topic"}
    inbox = [(INBOX, wait.seq) for wait in waits if wait.kind == "inbox"]
    found = {}
    for channel, number in (*listened.items(), *inbox):
        if fitting := [signal for signal in signals if _answers(signal.topic, channel, listened)]:
            found[channel, number] = _question(channel, number, fitting)
    return found


def question_for(topic: str, run: Run, questions: Iterable[Question]) -> Question | None:
    """The one among the run's questions that a message on the topic answers now."""
    listened = _listened(run)
    return next((each for each in questions if _answers(topic, each.channel, listened)), None)


def labels_of(question: Question, signals: Iterable[Signal]) -> list[str]:
    """The labels of those signals that answer the question."""
    listened = _listened(question.run)
    return _distinct(each.label for each in signals if _answers(each.topic, question.channel, listened))


def kept(waits: Sequence[Wait], signals: Sequence[Signal], most: int) -> list[Wait]:
    """The waits to keep with a run: `most` of a kind, and each topic that a signal declares."""
    declared = {signal.topic for signal in signals}
    counts: Counter[str] = Counter()
    found = []
    for wait in waits:
        counts[wait.kind] += 1
        if counts[wait.kind] <= most or (wait.kind == "topic" and wait.name in declared):
            found.append(wait)
    return found


def next_deadline(waits: Iterable[Wait]) -> datetime | None:
    """The nearest timer's deadline."""
    deadlines = [wait.deadline for wait in waits if wait.kind == "timer" and wait.deadline is not None]
    return datetime.fromtimestamp(min(deadlines) / 1e9, UTC) if deadlines else None


def _answers(topic: str, channel: str, listened: Container[str]) -> bool:
    """The rule: a listener of a topic takes its messages, the inbox takes those that nobody listens to."""
    return topic not in listened if channel == INBOX else topic == channel


def _listened(run: Run) -> set[str]:
    """The topics that the run listens to now: all that its signals declare, and the first of the others."""
    return {str(wait.get("name")) for wait in run.waiting if wait.get("kind") == "topic"}


def _question(channel: str, number: int, signals: Sequence[Signal]) -> Asked:
    return Asked(
        channel,
        number,
        topics=tuple(_distinct(signal.topic for signal in signals)),
        labels=tuple(_distinct(signal.label for signal in signals)),
        roles=tuple(_distinct(signal.role for signal in signals)),
    )


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
