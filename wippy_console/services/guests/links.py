"""A guest's link: its secret, what it still opens, and its one use.

The secret is derived from the server's key, so that a mail can be written at any time and no row holds it.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256

from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.formats import date_format

from wippy_console.models import Decision, GuestLink, Question
from wippy_console.services import questions
from wippy_console.services.errors import NotFoundError, Refused

_SALT = "wippy_console.guests"
OVER = "This question is over, so no answer is needed any more."


class Gone(Refused):
    """The link opens nothing any more."""

    status = 410


def token_of(link: GuestLink) -> str:
    """The secret of the link, as its address holds it."""
    named = f"{link.question_id}\n{link.issue}\n{link.address}"
    made = salted_hmac(_SALT, named, algorithm="sha256").digest()
    return urlsafe_b64encode(made).decode().rstrip("=")


def digest_of(token: str) -> str:
    """What a row keeps of it."""
    return sha256(token.encode(errors="replace")).hexdigest()


def find(token: str) -> GuestLink:
    """The link; NotFoundError alike for a secret that never was, and for one that a newer link replaced."""
    rows = GuestLink.objects.select_related("question__run")
    link = rows.filter(digest=digest_of(token)).first()
    if not constant_time_compare(token_of(link) if link is not None else digest_of(token), token) or link is None:
        raise NotFoundError("There is no such link, or a newer one was sent to you since.")
    return link


def refuse_over(link: GuestLink) -> None:
    """Raise Gone, in words for somebody outside, when nothing can be answered by the link any more."""
    given = link.question.decisions.filter(guest=link.address, state__in=questions.ANSWERING).first()
    if given is not None:
        raise Gone(f"You answered “{given.label or given.topic}” at {_spoken(given.created_at)}. Thank you.")
    if link.withdrawn_at is not None:
        raise Gone(f"This link was withdrawn at {_spoken(link.withdrawn_at)}.")
    _refuse_ended(link.question)
    if link.expires_at <= timezone.now():
        raise Gone(f"This link expired at {_spoken(link.expires_at)}.")


def _refuse_ended(question: Question) -> None:
    """Names nobody else."""
    if questions.is_expired(question):
        raise Gone(f"The time to answer ended at {_spoken(question.deadline)}.")
    if question.outcome in (Question.Outcome.ANSWERED, Question.Outcome.ELSEWHERE, Question.Outcome.DEFAULTED):
        raise Gone("This question was answered already, so no answer is needed any more.")
    if not question.is_open or not question.run.is_open:
        raise Gone(OVER)


def take(link: GuestLink) -> None:
    """Use it up, in the transaction of its answer; Gone when somebody was faster, or it ended meanwhile."""
    now = timezone.now()
    usable = GuestLink.objects.filter(pk=link.pk, issue=link.issue, used_at=None, withdrawn_at=None, expires_at__gt=now)
    if not usable.update(used_at=now):
        raise Gone("This link was used before, or is not valid any more.")


def give_back(answer: Decision) -> None:
    """What was refused may be answered once more by the same link."""
    GuestLink.objects.filter(question=answer.question_id, address=answer.guest).update(used_at=None)


def _spoken(at: datetime | None) -> str:
    return date_format(timezone.localtime(at), "Y-m-d H:i T") if at is not None else ""
