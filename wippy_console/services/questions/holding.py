"""Who has a question: its assignee, until the claim lapses or the account is made inactive."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from wippy_console.models import Question
from wippy_console.services import accounts
from wippy_console.services.errors import Conflict
from wippy_console.services.questions.inbox import may_answer
from wippy_console.services.questions.wording import after


def holder(question: Question) -> User | None:
    """Whoever has it now; the row may still name somebody who has it no more."""
    user = question.assignee
    lapsed = question.lapses_at is not None and question.lapses_at <= timezone.now()
    return user if user is not None and user.is_active and not lapsed else None


def is_nobodys(at: datetime) -> Q:
    """The condition that nobody has it.

    No join: an UPDATE that waited for another looks at the row's own columns again, but at no other table's.
    """
    inactive = User.objects.filter(is_active=False)
    return Q(assignee=None) | Q(lapses_at__lte=at) | Q(assignee_id__in=inactive.values("pk"))


def is_theirs(user: Any, at: datetime) -> Q:
    """The condition that the user has it."""
    lasting = Q(lapses_at=None) | Q(lapses_at__gt=at)
    return Q(assignee_id=accounts.person(user).pk) & lasting


def has(user: Any, question: Question) -> bool:
    """Whether the user has it."""
    return holder(question) == accounts.person(user)


def why_taken(user: Any, question: Question) -> str:
    """Who else has it, in words; "" when nobody does, and where votes count, which take no turns."""
    found = holder(question)
    if found is None or found == accounts.person(user) or counts_votes(question):
        return ""
    return f"{found.get_username()} has taken it."


def refuse_taken(user: Any, question: Question) -> None:
    """Raise Conflict, naming who else has it."""
    if why := why_taken(user, question):
        raise Conflict(why)


def counts_votes(question: Question) -> bool:
    """Whether some answer takes more than one person."""
    return any(isinstance(each.get("quorum"), dict) for each in question.signals)


def lapses_at(question: Question, start: datetime) -> datetime | None:
    """When a claim made then ends by itself; None where the author sets no time."""
    return after(start, question.options.get("lapse"))


def assign_at_opening(question: Question) -> None:
    """Give a question that opens to whom its author says, if it is somebody who may answer it; nobody a second time."""
    name = question.options.get("assignee")
    if not name or question.assigned_at is not None:
        return
    user = User.objects.filter(username=name, is_active=True).first()
    if user is not None and may_answer(user, question):
        now = timezone.now()
        fields = {"assignee": user, "assigned_at": now, "lapses_at": lapses_at(question, now)}
        Question.objects.filter(pk=question.pk, assigned_at=None).update(**fields)


def meant_for(question: Question) -> str:
    """The name of whom its author wants to answer it and who never got it; "" for none."""
    name = question.options.get("assignee")
    return name if isinstance(name, str) and question.assigned_at is None else ""


def meant_why(question: Question) -> str:
    """Why whom it is meant for never got it, in words; "" where that person may take it."""
    user = User.objects.filter(username=meant_for(question), is_active=True).first()
    if user is None:
        return "whom nobody knows"
    return "" if may_answer(user, question) else "who may not answer it"
