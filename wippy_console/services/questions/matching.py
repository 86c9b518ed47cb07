"""Which waits are questions, and which question a message answers: what a run waits for meets what it may be asked.

A *channel* is what a run waits on: the topic that it listens to, or the inbox. What one select waits on together is one
question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from engine.steps import Wait
from wippy_console.models import Question, Run
from wippy_console.models.decisions import wait_key
from wippy_console.services.questions.asks import extended
from wippy_console.services.questions.signals import CODED, items_of

INBOX = ""

Place = tuple[str, int]
"""A channel, and how many messages were taken from it before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: the places that it waits at, in order; the answers that fit, as written; what else it says."""

    waits: tuple[Place, ...]
    signals: tuple[Mapping[str, Any], ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Names the question within its run."""
        return wait_key(self.waits)


def asked(waits: Iterable[Wait], meta: Mapping[str, Any]) -> dict[str, Asked]:
    """The questions of a run that waits so, by key; what no signal answers is none."""
    channels = [wait for wait in waits if wait.kind in ("topic", "inbox")]
    listened = {wait.name for wait in channels if wait.kind == "topic"}
    items = items_of(meta)
    found = {}
    for group in _joined(channels):
        one = _question(group, items, listened, meta)
        if one is not None:
            found[one.key] = one
    return found


def question_for(topic: str, run: Run, questions: Iterable[Question]) -> Question | None:
    """The one among the run's questions that a message on the topic answers now."""
    listened = channels_of(run)
    return next((each for each in questions if _takes(topic, each, listened)), None)


def kept(waits: Sequence[Wait], meta: Mapping[str, Any], most: int) -> list[Wait]:
    """The waits to keep with a run: `most` of a kind, and each topic that is asked for an answer."""
    declared = {item["topic"] for item in items_of(meta)}
    counts: Counter[str] = Counter()
    found = []
    for wait in waits:
        counts[wait.kind] += 1
        if counts[wait.kind] <= most or (wait.kind == "topic" and (wait.name in declared or wait.ask is not None)):
            found.append(wait)
    return found


def next_deadline(waits: Iterable[Wait]) -> datetime | None:
    """The nearest timer's deadline."""
    deadlines = [wait.deadline for wait in waits if wait.kind == "timer" and wait.deadline is not None]
    return datetime.fromtimestamp(min(deadlines) / 1e9, UTC) if deadlines else None


def answered_by(messages: Iterable[str], question: Question, listened: Container[str]) -> bool:
    """Whether one of the messages, by their topics, was taken by what the question waits for."""
    channels = {channel for channel, _ in question.waits}
    return any(_answers(topic, channel, listened) for topic in messages for channel in channels)


def channels_of(run: Run) -> set[str]:
    """The topics that the run listens to now: all that are asked for an answer, and the first of the others."""
    return {str(wait.get("name")) for wait in run.waiting if wait.get("kind") == "topic"}


def _joined(channels: Sequence[Wait]) -> list[list[Wait]]:
    """The waits in groups that stand in one select, or in selects that share a channel; in the order of the listing."""
    leads: dict[int, int] = {}

    def lead(number: int) -> int:
        while leads.setdefault(number, number) != number:
            leads[number] = number = leads[leads[number]]
        return number

    for wait in channels:
        if wait.number:
            leads[lead(wait.number)] = lead(wait.joined or wait.number)
    groups: dict[int, list[Wait]] = {}
    for place, wait in enumerate(channels, 1):
        groups.setdefault(lead(wait.number) if wait.number else -place, []).append(wait)
    return list(groups.values())


def _question(
    group: Sequence[Wait], items: Sequence[Mapping[str, Any]], listened: Container[str], meta: Mapping[str, Any]
) -> Asked | None:
    places: list[Place] = []
    signals: list[Mapping[str, Any]] = []
    options: dict[str, Any] = {}
    for wait in sorted(group, key=lambda wait: (wait.name, wait.seq)):
        channel = wait.name if wait.kind == "topic" else INBOX
        fitting = [item for item in items if _answers(item["topic"], channel, listened)]
        fitting, more = extended(fitting, wait.ask, channel, meta, first=CODED * (len(places) + 1))
        if fitting:
            places.append((channel, wait.seq))
            signals.extend(fitting)
            options = {**more, **options}
    return Asked(tuple(places), tuple(signals), options) if places else None


def _takes(topic: str, question: Question, listened: Container[str]) -> bool:
    return any(_answers(topic, channel, listened) for channel, _ in question.waits)


def _answers(topic: str, channel: str, listened: Container[str]) -> bool:
    """The rule: a listener of a topic takes its messages, the inbox takes those that nobody listens to."""
    return topic not in listened if channel == INBOX else topic == channel
