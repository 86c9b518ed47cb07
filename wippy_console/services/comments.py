"""Comments: what people say about a question without answering it, and whom they mention."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import Comment, Question
from wippy_console.services import accounts, audit, feed, notifications, questions
from wippy_console.services.errors import Conflict, NotFoundError, Refused

LONGEST = 4_000
"""Characters of one comment."""
MOST_SHOWN = 200
MOST_MENTIONED = 20
MOST_NAMES = 20
MOST_LOOKED_AT = 500
"""People whose rights are looked at for a list of names."""
_TOLD = 200
_MENTION = re.compile(r"(?<![\w.@+-])@([\w.@+-]{1,150})")
_ENDS = ".@+-"


def comment(user: Any, question: Question, text: str, key: uuid.UUID) -> Comment:
    """Say something about the question, also when it is over. Whoever may see it may; the same key is the same comment.

    Refused (`text`) when it is empty or too long; NotFoundError for whoever may not see the question.
    """
    question = questions.get(user, question.pk)
    said = question.run.veil().text(storable_text(text.strip()))
    refuse_unsayable(said)
    try:
        with transaction.atomic():
            return _write(user, question, said, key)
    except IntegrityError:
        return _before(user, question, key)


def refuse_unsayable(text: str, field: str = "text") -> None:
    """Raise Refused for no text, and for one that is too long."""
    if not text:
        raise Refused("Write something first.", {field: ["Write something first."]})
    if len(text) > LONGEST:
        why = f"It has {len(text)} characters, and a comment at most {LONGEST}."
        raise Refused(why, {field: [why]})


def _write(user: Any, question: Question, text: str, key: uuid.UUID) -> Comment:
    made = add(user, question, text, key)
    data = {"question": question.pk, "action": "commented", "user": user.get_username(), "text": text[:_TOLD]}
    feed.append(feed.QUESTION, run=question.run, data=data)
    return made


def add(user: Any, question: Question, text: str, key: uuid.UUID | None = None) -> Comment:
    """The comment, its audit row, and the news for whom it mentions; the feed comes last, from the caller."""
    made = Comment.objects.create(question=question, user=user, text=text, key=key)
    people = mentioned(text, question)
    noted = {"text": text, "mentioned": [each.get_username() for each in people]}
    audit.append(audit.COMMENT, user, run=question.run, question=question, data=noted)
    others = [each for each in people if each != accounts.person(user)]
    if others:
        said = {"by": user.get_username(), "text": text[:_TOLD]}
        notifications.tell("mentioned", question=question, users=others, data=said, fact=f"mentioned:{made.pk}")
    return made


def _before(user: Any, question: Question, key: uuid.UUID) -> Comment:
    """What the same form said before."""
    found = Comment.objects.filter(key=key, user=user, question=question).first()
    if found is None:
        raise Conflict("This form was used before. Reload the page and try again.")
    return found


def mentioned(text: str, question: Question) -> list[User]:
    """The active users whom a text names with `@name`, and who may see the question."""
    written = list(dict.fromkeys(_MENTION.findall(text)))[:MOST_MENTIONED]
    possible = {name for each in written for name in (each, each.rstrip(_ENDS))}
    people = {user.get_username(): user for user in User.objects.filter(username__in=possible, is_active=True)}
    found = [people.get(each) or people.get(each.rstrip(_ENDS)) for each in written]
    return [user for user in dict.fromkeys(found) if user is not None and _sees(user, question)]


def _sees(user: User, question: Question) -> bool:
    try:
        questions.get(user, question.pk)
    except NotFoundError:
        return False
    return True


def thread(question: Question) -> list[Comment]:
    """What was said about it last, the oldest first."""
    newest = question.comments.select_related("user").order_by("-created_at", "-id")
    return list(newest[:MOST_SHOWN])[::-1]


def names(user: Any, question: Question, start: str) -> list[str]:
    """The names of active users that begin so and may see the question, for whoever sees it; nothing else of them."""
    question = questions.get(user, question.pk)
    people = User.objects.filter(is_active=True, username__istartswith=start.removeprefix("@")[:150])
    found = people.order_by("username")[:MOST_LOOKED_AT]
    seeing = permissions.those_with(found, permissions.VIEW_RUN, question.namespace)
    return [each.get_username() for each in seeing[:MOST_NAMES]]
