"""Who takes a question: claim it, give it to another, put it back, put it off. Two at once: one has it, one is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from wippy_console import permissions
from wippy_console.models import Question
from wippy_console.models.decisions import IS_OPEN
from wippy_console.services import accounts, audit, comments, feed, notifications, questions
from wippy_console.services.errors import Conflict, Refused

NOBODY = ""
_NOTED = {
    "claimed": audit.CLAIM,
    "assigned": audit.ASSIGN,
    "released": audit.RELEASE,
    "postponed": audit.POSTPONE,
}


def claim(user: Any, question: Question, *, over: str = NOBODY) -> Question:
    """Take it; `over` names whom it is taken from, as the user saw it. Taking it again changes nothing.

    PermissionDenied for whoever may not answer it; Conflict, naming the winner, when somebody else has it.
    """
    me = _candidate(user, question)
    if not me.is_active or accounts.is_command_line(me):
        raise Refused("The command line has no account of its own to take it for: say for whom (--as).")
    data = {"action": "claimed", "text": f"from {over}" if over else ""}
    return _take(user, question, me, over, data)


def assign(user: Any, question: Question, to: str, *, reason: str = "", over: str = NOBODY) -> Question:
    """Give it to another candidate; `over` names who has it now, as the user saw it. Raises as `claim` does.

    They are told; a `reason` is a comment, too.

    Refused (`to`) when there is no such active user, or one who may not answer it.
    """
    me = _candidate(user, question)
    found = User.objects.filter(username=to.strip(), is_active=True).first()
    if found is None or accounts.is_nobodys(found):
        raise Refused(f"There is no active user {to!r}.", {"to": [f"There is no active user {to!r}."]})
    if not questions.may_answer(found, question):
        text = f"{found.get_username()} may not answer this question."
        raise Refused(text, {"to": [text]})
    if found == me:
        return claim(user, question, over=over)
    if reason.strip():
        comments.refuse_unsayable(reason.strip(), "reason")
    over = over or me.get_username()
    data = {"action": "assigned", "to": found.get_username(), "text": reason.strip()}
    return _take(user, question, found, over, data)


def release(user: Any, question: Question) -> Question:
    """Put it back, for anybody to take; Conflict when the user does not have it."""
    me = _candidate(user, question)
    with transaction.atomic():
        mine = Question.objects.filter(IS_OPEN, questions.is_theirs(me, timezone.now()), pk=question.pk)
        if not mine.update(assignee=None, assigned_at=None, lapses_at=None):
            _refuse(question, "Nobody has taken it.")
        _tell(user, question, {"action": "released", "text": f"{me.get_username()} put it back"})
    question.refresh_from_db()
    return question


def postpone(user: Any, question: Question, until: datetime | None) -> Question:
    """Hide it from everybody's list until then; None brings it back. Refused (`until`) for a time that has passed."""
    _candidate(user, question)
    questions.refuse_taken(user, question)
    if until is not None and until <= timezone.now():
        raise Refused("That time has passed.", {"until": ["That time has passed."]})
    with transaction.atomic():
        if not Question.objects.filter(IS_OPEN, pk=question.pk).update(follow_up_at=until):
            _refuse(question, "It is over.")
        _tell(user, question, {"action": "postponed", "text": until.isoformat() if until else ""})
    question.refresh_from_db()
    return question


def _candidate(user: Any, question: Question) -> User:
    """The person who acts; PermissionDenied when it is nobody who may answer the question."""
    permissions.require(user, permissions.SIGNAL_RUN, question.namespace)
    if not questions.may_answer(user, question):
        raise PermissionDenied("You may not answer this question, so you can't take it or give it to others.")
    return accounts.person(user)


def _take(user: Any, question: Question, to: User, over: str, data: dict[str, str]) -> Question:
    """One UPDATE decides who has it."""
    now = timezone.now()
    free = questions.is_nobodys(now) | questions.is_theirs(to, now)
    if over:
        free |= Q(assignee__in=User.objects.filter(username=over).values("pk"))
    with transaction.atomic():
        had = Question.objects.filter(IS_OPEN, questions.is_theirs(to, now), pk=question.pk).exists()
        rows = Question.objects.filter(IS_OPEN, free, pk=question.pk)
        if not rows.update(assignee=to, assigned_at=now, lapses_at=questions.lapses_at(question, now)):
            _refuse(question, "It is over.")
        if not had:
            if to != accounts.person(user):
                _notify(user, question, to, now, data.get("text", ""))
            _tell(user, question, data)
    question.refresh_from_db()
    return question


def _notify(user: Any, question: Question, to: User, at: datetime, text: str) -> None:
    """Tell whom it was given to; words that go with it are a comment, too."""
    if text:
        comments.add(user, question, text)
    data = {"by": accounts.person(user).get_username(), "text": text}
    fact = f"assigned:{question.pk}:{to.pk}:{at.isoformat()}"
    notifications.tell("assigned", question=question, users=[to], data=data, fact=fact)


def _refuse(question: Question, otherwise: str) -> None:
    """Raise Conflict, in the words of what is in the way."""
    question.refresh_from_db()
    questions.refuse_answered(question)
    found = questions.holder(question) if question.is_open else None
    if found is not None:
        raise Conflict(f"{found.get_username()} has taken it.")
    raise Conflict(questions.why_over(question, question.run) or otherwise)


def _tell(user: Any, question: Question, data: dict[str, str]) -> None:
    """The audit and the feed, which is last in its transaction."""
    said = {key: text for key, text in data.items() if text}
    noted = {key: text for key, text in said.items() if key != "action"}
    audit.append(_NOTED[data["action"]], user, run=question.run, question=question, data=noted)
    about = {"question": question.pk, "user": accounts.person(user).get_username()}
    feed.append(feed.QUESTION, run=question.run, data={**about, **said})
