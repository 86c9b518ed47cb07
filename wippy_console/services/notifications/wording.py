"""What a notification says: what is asked, of which entry, until when, and where to look. No payloads, no secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from wippy_console.models import Notification, NotificationPreference, Question, Run
from wippy_console.models.decisions import FAR
from wippy_console.services import registry
from wippy_console.services.markdown import to_text
from wippy_console.services.notifications import rules
from wippy_console.services.notifications.preferences import ZONE

_SUBJECTS = {
    rules.ASKED: "{asks}",
    rules.DUE_SOON: "Due soon: {asks}",
    rules.OVERDUE: "Overdue: {asks}",
    rules.ESCALATED: "Escalated: {asks}",
    rules.ASSIGNED: "Given to you: {asks}",
    rules.MENTIONED: "You are mentioned: {asks}",
    rules.FAILED: "Failed: {entry}",
    rules.EXIT: "{ended}: {entry}",
    rules.TEST: "A test of Wippy Console",
}
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Message:
    """Subject, facts in order, and the path of the page."""

    subject: str
    lead: str
    path: str
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def link(self) -> str:
        """The address of the page; whoever follows it needs the right."""
        return settings.WIPPY_URL.rstrip("/") + self.path

    @property
    def text(self) -> str:
        """All of it as plain text."""
        facts = "\n".join(f"{name}: {value}" for name, value in self.facts.items())
        return "\n\n".join(filter(None, [self.lead, facts, self.link])) + "\n"

    @property
    def html(self) -> str:
        """The same as HTML."""
        return render_to_string("notifications/mail.html", {"message": self})


def message_of(notification: Notification, preference: NotificationPreference | None = None) -> Message:
    """What it says to its receiver, by the rows as they are now."""
    question, run = notification.question, notification.run
    entry = registry.titles().get(run.entry_id, run.entry_id) if run is not None else ""
    asks = _asks(question, entry)
    ended = run.get_status_display().capitalize() if run is not None else ""
    subject = _SUBJECTS.get(notification.kind, "{asks}").format_map({"asks": asks, "entry": entry, "ended": ended})
    lead = _lead(notification, subject)
    return Message(_cut(subject), lead, _path(question, run), _facts(notification, entry, preference))


def payload_of(notification: Notification) -> dict[str, Any]:
    """What a webhook carries."""
    question, run = notification.question, notification.run
    said = message_of(notification)
    return {
        "id": str(notification.id),
        "kind": notification.kind,
        "fact": notification.fact,
        "at": notification.created_at.astimezone(UTC).isoformat(),
        "subject": said.subject,
        "url": said.link,
        "run": _run_data(run) if run is not None else None,
        "question": _question_data(question) if question is not None else None,
        "data": notification.data,
    }


def _path(question: Question | None, run: Run | None) -> str:
    """The page of the question, else of the run, else of the preferences."""
    if question is not None:
        return reverse("question", args=(question.pk,))
    if run is not None:
        return reverse("run", args=(run.workflow_id, run.run_id))
    return reverse("notification_preferences")


def _asks(question: Question | None, entry: str) -> str:
    if question is None:
        return entry or "Wippy Console"
    labels = " or ".join(question.labels[:4])
    words = question.title or (f"{labels}?" if labels else "An answer is wanted")
    return f"{words} ({entry})" if entry else words


def _lead(notification: Notification, subject: str) -> str:
    question, said = notification.question, notification.data.get("text")
    parts = [str(said)[:2000] if said else "", to_text(question.text) if question is not None else ""]
    if notification.kind == rules.TEST:
        parts = ["Messages of Wippy Console reach you this way."]
    return "\n\n".join(filter(None, parts)) or subject


def _facts(notification: Notification, entry: str, preference: NotificationPreference | None) -> dict[str, str]:
    question, run = notification.question, notification.run
    found = {"By": str(notification.data.get("by") or ""), "Workflow": entry, "Run": run.workflow_id if run else ""}
    if question is not None:
        found["Answers"] = ", ".join(question.labels)
        if question.nearest_at < FAR:
            found["Answer by"] = _moment(question.nearest_at, preference)
        if question.outcome or question.closed_at:
            found["By now"] = question.get_outcome_display() or "closed"
    elif run is not None and run.closed_at is not None:
        found["Ended"] = _moment(run.closed_at, preference)
    return {name: _cut(value) for name, value in found.items() if value}


def _moment(at: datetime, preference: NotificationPreference | None) -> str:
    zone = str(preference.chosen.get(ZONE) or "") if preference is not None else ""
    try:
        where: Any = ZoneInfo(zone) if zone else UTC
    except (ValueError, OSError, KeyError):
        where = UTC
    return f"{at.astimezone(where):%Y-%m-%d %H:%M} {zone if where is not UTC else 'UTC'}"


def _run_data(run: Run) -> dict[str, Any]:
    return {"entry": run.entry_id, "workflow_id": run.workflow_id, "run_id": run.run_id, "status": run.status}


def _question_data(question: Question) -> dict[str, Any]:
    due = question.nearest_at.astimezone(UTC).isoformat() if question.nearest_at < FAR else None
    return {
        "id": question.pk,
        "title": question.title,
        "text": question.text,
        "answers": question.labels,
        "priority": question.priority,
        "due_at": due,
    }


def _cut(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= _LONGEST else one_line[: _LONGEST - 1] + "…"
