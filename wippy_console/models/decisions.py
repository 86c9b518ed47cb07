"""What runs ask of people, and what people answered."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import models

from wippy_console.models.masks import VeiledField, whole
from wippy_console.models.runs import Run

IN_ORDER = ["-priority", "nearest_at", "id"]
IS_OPEN = models.Q(closed_at=None, outcome="")
IS_CLOSED = models.Q(closed_at__isnull=False)
ASKED_ANEW = "asked_anew"
"""Among a question's options: the answers that its run refused, and asked for another one in the same step."""
WILL_ESCALATE = models.Q(closed_at=None, outcome="", escalated_at=None, escalates_at__isnull=False)

FAR = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for no deadline where rows are put in order."""


def wait_key(waits: Iterable[tuple[str, int]]) -> str:
    """Names a wait: the digest of its topics, each with the messages taken from it before."""
    text = json.dumps([list(place) for place in waits], ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


class Question(models.Model):
    """One instance of a run waiting for an answer that its entry, or its code, declares. Written by the projection.

    `waits` are the topics ("" is the inbox) that one select waits on together, each with how many messages were
    taken from it before; `key` is their digest and names the wait, so one question has one decision. `channel` and
    `number` are the first of them. What is asked is kept as it was when the run asked.
    """

    class Outcome(models.TextChoices):
        """How it ended; a question without one is open."""

        ANSWERED = "answered", "Answered"
        ELSEWHERE = "elsewhere", "Answered from elsewhere"
        DEFAULTED = "defaulted", "Answered by its deadline"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "Withdrawn"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="questions")
    key = models.CharField(max_length=64)
    channel = models.CharField(max_length=500, blank=True)
    number = models.PositiveIntegerField()
    waits = models.JSONField(default=list, help_text="list of [topic, messages taken from it before]")
    namespace = models.CharField(max_length=500, blank=True, help_text="of the run's entry")
    title = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True, help_text="Markdown")
    signals = models.JSONField(default=list, help_text="the answers that may be given, as declared")
    options = models.JSONField(default=dict, help_text="escalate, lapse, guest, notify: as declared")
    priority = models.PositiveSmallIntegerField(default=50, help_text="0 to 100; the highest comes first")
    search = models.TextField(blank=True, help_text="what a search looks through, in lower case")
    opened_at = models.DateTimeField()
    deadline = models.DateTimeField(null=True, blank=True, help_text="the run's nearest timer")
    due_at = models.DateTimeField(null=True, blank=True)
    answers_at = models.DateTimeField(null=True, blank=True, help_text="when its default is given")
    nearest_at = models.DateTimeField(default=FAR, help_text="the nearer of deadline and due date")
    alerts_at = models.DateTimeField(null=True, blank=True, help_text="when people are told next that it is due")
    follow_up_at = models.DateTimeField(null=True, blank=True, help_text="hidden until then")
    escalates_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    outcome_text = models.CharField(max_length=500, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    lapses_at = models.DateTimeField(null=True, blank=True, help_text="when the claim ends by itself")

    class Meta:
        ordering = ["opened_at"]
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="one_question_per_wait")]
        indexes = [
            models.Index(fields=["opened_at"]),
            models.Index(fields=["-closed_at", "-id"], name="question_done", condition=IS_CLOSED),
            models.Index(fields=["run", "closed_at"]),
            models.Index(fields=IN_ORDER, name="question_open", condition=IS_OPEN),
            models.Index(fields=["namespace", *IN_ORDER], name="question_room", condition=IS_OPEN),
            models.Index(fields=["assignee", *IN_ORDER], name="question_mine", condition=IS_OPEN),
            models.Index(fields=["escalates_at"], name="question_escalates", condition=WILL_ESCALATE),
            models.Index(fields=["due_at"], name="question_due", condition=IS_OPEN),
            models.Index(fields=["lapses_at"], name="question_lapses", condition=IS_OPEN),
            models.Index(fields=["answers_at"], name="question_answers", condition=IS_OPEN),
            models.Index(fields=["alerts_at"], name="question_alerts", condition=IS_OPEN),
        ]

    def __str__(self) -> str:
        return f"{self.run.workflow_id} asks {self.channel or 'inbox'} #{self.number}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits for an answer."""
        return self.closed_at is None and not self.outcome

    @property
    def labels(self) -> list[str]:
        """The words of its answers."""
        return list(dict.fromkeys(str(each.get("label") or each.get("topic")) for each in self.signals))


class QuestionRole(models.Model):
    """A candidate of a question: the members of a group, or one user; neither stands for any operator."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=150, blank=True)
    user = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["question", "role", "user"], name="one_row_per_candidate")]
        indexes = [models.Index(fields=["role", "question"])]

    def __str__(self) -> str:
        return self.role or self.user or "(any operator)"


class Vote(models.Model):
    """An answer that counts towards a quorum; nobody votes twice on a question."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="votes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    key = models.UUIDField(null=True, blank=True, help_text="of the form: the same again is the same vote")
    index = models.PositiveIntegerField(help_text="of the signal among those of the question")
    topic = models.CharField(max_length=500)
    label = models.CharField(max_length=200, blank=True)
    payload = VeiledField(null=True, blank=True)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [models.UniqueConstraint(fields=["question", "user"], name="one_vote_per_user")]
        indexes = [models.Index(fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.user} votes {self.label}"

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """As the database has it, whatever is shown of that."""
        with whole():
            super().refresh_from_db(*args, **kwargs)

    @property
    def whole_payload(self) -> Any:
        """The payload as it is kept: to be sent, not to be shown."""
        with whole():
            return self.payload

    def veiled(self, name: str, value: Any) -> Any:
        """The payload as it may be shown."""
        run = self.question.run
        return value if run.unveiled else run.veil().value(value)


class Comment(models.Model):
    """What somebody said about a question without answering it; of a guest the address stands in `guest`."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="comments")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    guest = models.CharField(max_length=320, blank=True)
    key = models.UUIDField(null=True, unique=True, help_text="of the form: the same again is the same comment")
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.user or self.guest}: {self.text[:40]}"


class GuestLink(models.Model):
    """A link by which somebody without an account answers one question, once. Of its secret only a digest is kept.

    `issue` counts how often it was made: a new one ends the one before.
    """

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="guests")
    address = models.CharField(max_length=320)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    issue = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["question", "address"], name="one_link_per_guest")]
        indexes = [models.Index(fields=["-created_at"])]

    def __str__(self) -> str:
        return f"{self.address} on {self.question_id}"


class Decision(models.Model):
    """An operator's answer or raw signal: who, what, why. Written before the signal is sent, completed after.

    The id travels as the signal's request id, so sending it again has no second effect.
    """

    class State(models.TextChoices):
        """Where the answer stands; `sent` means that Temporal has it."""

        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    question = models.ForeignKey(Question, null=True, blank=True, on_delete=models.SET_NULL, related_name="decisions")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="decisions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=20, default="signal", help_text="signal, cancel, terminate or reset")
    topic = models.CharField(max_length=500, blank=True)
    label = models.CharField(max_length=200, blank=True)
    payload = models.JSONField(null=True, blank=True)
    payloads = models.PositiveIntegerField(default=1, db_default=1, help_text="of several `payload` is the list")
    reason = models.TextField(blank=True)
    guest = models.CharField(max_length=320, blank=True, help_text="address of somebody without an account")
    token = models.CharField(
        max_length=250, blank=True, default="", db_default="", help_text="by which the user acted, if by one"
    )
    via = models.CharField(max_length=10, default="signal", help_text="signal or update")
    verdict = models.JSONField(null=True, blank=True, help_text="what the run answered an update")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    event_id = models.PositiveBigIntegerField(null=True, blank=True, help_text="the history event it became")
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["question"],
                condition=models.Q(state__in=["pending", "sent"]),
                name="one_decision_per_question",
            )
        ]
        indexes = [
            models.Index(fields=["-created_at"]),
            models.Index(fields=["state", "-created_at"]),
            models.Index(fields=["action", "-created_at"]),
            models.Index(fields=["user", "-created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.label or self.topic or self.action} on {self.run_id}"

    @property
    def values(self) -> tuple[Any, ...]:
        """The payloads of its message, as they are sent."""
        return tuple(self.payload or ()) if self.payloads > 1 else (self.payload,)[: self.payloads]

    @property
    def who(self) -> str:
        """The name of whose it is: of a user, or the address of somebody without an account."""
        return self.guest or self.user.get_username()
