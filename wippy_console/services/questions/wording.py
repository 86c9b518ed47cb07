"""What a question's row says: filled in when it opens, so that no list has to look anything up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from engine.durations import option_lifetime
from wippy_console.database.folding import folded
from wippy_console.database.storable import storable, storable_text
from wippy_console.models import Question, Run
from wippy_console.models.decisions import FAR
from wippy_console.services import business_keys, masking, paths
from wippy_console.services.questions.matching import Asked
from wippy_console.services.questions.rights import escalated_to
from wippy_console.services.questions.signals import Signal, read, text_of, voters_of

USUAL_PRIORITY = 50
_LONGEST_TITLE = 500
_LONGEST_NAME = 150
_LONGEST_CHANNEL = 500
_KEPT = ("escalate", "lapse", "guest", "notify", "assign")
_SOON = timedelta(hours=1)
_CODE = re.compile(r"(`[^`\n]*`)")
_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&])")

Candidate = tuple[str, str]
"""A group and a user, one of them "", or both for every operator."""


def word(question: Question, asked: Asked, meta: Mapping[str, Any], run: Run) -> None:
    """Write what is asked into a question that opens now."""
    said, given, veil = asked.options, first_argument(run), run.veil()
    channel, question.number = asked.waits[0]
    question.channel = storable_text(channel)[:_LONGEST_CHANNEL]
    question.key, question.waits = asked.key, storable(asked.waits)
    question.namespace = run.namespace
    question.title = storable_text(veil.text(paths.filled(text_of(said, "title"), given))[:_LONGEST_TITLE])
    question.text = storable_text(veil.text(_filled(text_of(said, "text"), given)))
    question.signals = storable(list(asked.signals))
    notify = {"notify": meta["notify"]} if meta.get("notify") else {}
    kept = notify | {name: said[name] for name in _KEPT if name in said}
    question.options = storable(kept) | _default(question)
    if name := assigned_name(asked, run):
        question.options["assignee"] = storable_text(name)[:_LONGEST_NAME]
    question.priority = _priority(said.get("priority"))
    question.due_at = after(question.opened_at, said.get("due"))
    question.answers_at = question.due_at if "default" in question.options else None
    question.follow_up_at = after(question.opened_at, said.get("follow_up"))
    escalate = said.get("escalate")
    patience = escalate.get("after") if isinstance(escalate, Mapping) else None
    question.escalates_at = after(question.opened_at, patience)
    question.search = storable_text(searched(question, meta, run))
    put_in_order(question)


def _default(question: Question) -> dict[str, int]:
    """The index of the answer that the due date gives by itself."""
    found = [signal.index for signal in read(question.signals) if signal.default]
    return {"default": found[0]} if found else {}


def asks_in_words(question: Question) -> str:
    """What a question asks, in few words: its title, else the choice of answers, else the topic."""
    labels = question.labels
    return question.title or (f"{alternatives(labels)}?" if labels else question.channel or "inbox")


def alternatives(words: Sequence[str]) -> str:
    """Choices as a phrase: "Approve, Reject or Wait"."""
    *first, last = words or [""]
    return f"{', '.join(first)} or {last}" if first else last


def put_in_order(question: Question) -> None:
    """What of a question changes with its deadline."""
    nearest = min(filter(None, (question.deadline, question.due_at)), default=FAR)
    if nearest != question.nearest_at:
        question.nearest_at, question.alerts_at = nearest, _alerts_at(question.opened_at, nearest)


def _alerts_at(opened: datetime, nearest: datetime) -> datetime | None:
    """When it is due soon: after four fifths of its time, or an hour before its end, whichever is later."""
    return None if nearest == FAR else max(opened + (nearest - opened) * 0.8, nearest - _SOON)


def candidates(signals: list[Signal]) -> list[Candidate]:
    """Who may give some answer; an answer of nobody's in particular makes every operator one."""
    found: dict[Candidate, None] = {}
    for signal in signals:
        named = [*((role, "") for role in signal.roles), *(("", user) for user in signal.users)]
        voters = voters_of(signal, signals)
        named += [each for voter in voters for each in ((voter, ""), ("", voter))]
        found.update(dict.fromkeys(named or [("", "")]))
    return list(found)


def asked_of(question: Question) -> list[Candidate]:
    """The candidates of a question as it stands: those of its answers, and the group that it was escalated to."""
    return [*candidates(read(question.signals)), *((group, "") for group in escalated_to(question))]


def assigned_name(asked: Asked, run: Run) -> str:
    """The name of the user to whom the question is assigned from its start: written, or at a path of the input."""
    said = asked.options.get("assign")
    if not isinstance(said, str) or not said.startswith("$"):
        return said if isinstance(said, str) else ""
    found = paths.at(first_argument(run, whole=True), said)
    return found if isinstance(found, str) else ""


def first_argument(run: Run, *, whole: bool = False) -> Any:
    """The argument that `meta.input_schema` describes, as it may be shown, or whole: to work with."""
    given = run.whole("input") if whole else run.input
    return given[0] if isinstance(given, list) and given else None


def searched(question: Question, meta: Mapping[str, Any], run: Run) -> str:
    """What is looked through for a question: ids, words, and the values that the entry declares in `meta.search`."""
    keys = business_keys.keys_of(
        meta, masking.masked(first_argument(run), masking.of_entry(run.entry_id, run.registry_version))
    )
    labels = [signal.label for signal in read(question.signals)]
    parts = [run.workflow_id, run.run_id, run.entry_id, text_of(meta, "title"), question.title, *labels]
    return folded("\n".join([*parts, *keys.values()]))


def _priority(found: Any) -> int:
    return min(max(found, 0), 100) if isinstance(found, int) and not isinstance(found, bool) else USUAL_PRIORITY


def after(start: datetime, said: Any) -> datetime | None:
    """So long after the start as an author said; None for what is no duration."""
    nanoseconds = option_lifetime(said)
    if nanoseconds is None or nanoseconds <= 0:
        return None
    try:
        return start + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return None


def _filled(text: str, given: Any) -> str:
    """Markdown with values of the input, which stand literally there; within code nothing is escaped."""
    parts = _CODE.split(text)
    return "".join(
        paths.filled(part, given, _within_code if index % 2 else _literal) for index, part in enumerate(parts)
    )


def _within_code(text: str) -> str:
    return text.replace("`", "'").replace("\n", " ")


def _literal(text: str) -> str:
    """A value within Markdown, which it must not format."""
    return _MARKS.sub(r"\\\1", text).replace("\n", " ")
