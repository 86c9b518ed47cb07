"""Whom a question asks without an account: the link is made when it opens, sent anew, or withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from wippy_console import permissions
from wippy_console.models import GuestLink, Notification, Question
from wippy_console.services import audit, feed, paths, questions
from wippy_console.services.errors import Conflict, NotFoundError, Refused
from wippy_console.services.guests.links import digest_of, token_of
from wippy_console.services.questions import Signal

LONGEST = timedelta(days=30)
"""So long a link lasts at most."""
KIND = "guest"
_LONGEST_ADDRESS = 320


@dataclass(frozen=True, slots=True)
class Asked:
    """The guest of a question, as those who may answer it see: the link, how its mail stands, or why there is none."""

    address: str
    link: GuestLink | None = None
    mail: Notification | None = None
    why_nobody: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether the guest can still answer by it."""
        link = self.link
        unused = link is not None and link.used_at is None and link.withdrawn_at is None
        return link is not None and unused and link.expires_at > timezone.now()


def address_of(question: Question) -> str:
    """The address that the author names, or that stands in the input; "" where the question has no guest."""
    said = question.options.get("guest")
    if not isinstance(said, str):
        return ""
    found = paths.at(questions.first_argument(question.run, whole=True), said) if said.startswith("$") else said
    return found.strip() if isinstance(found, str) else ""


def why_nobody(question: Question) -> str:
    """Why nobody is asked though the author wants it; "" where somebody is, or nobody should be."""
    said, address = question.options.get("guest"), address_of(question)
    if not said or _is_address(address):
        return ""
    where = f" {said}" if isinstance(said, str) and said.startswith("$") else ""
    return f"No guest was asked: what the input says at{where or ' its place'} is no e-mail address."


def offered(question: Question) -> list[Signal]:
    """The answers that a guest may give: no vote, and where some answers are nobody's in particular, only those."""
    signals = questions.of(question)
    counted = {signal.topic for signal in signals if signal.quorum is not None}
    plain = [signal for signal in signals if signal.topic not in counted]
    return [signal for signal in plain if not signal.roles and not signal.users] or plain


def invite(question: Question) -> None:
    """Ask the guest of a question that opens, in the caller's transaction; once, however often it opens."""
    address = address_of(question)
    now = timezone.now()
    if not _is_address(address) or not offered(question) or _expiry(question, now) <= now:
        return
    made = GuestLink(question=question, address=address, expires_at=_expiry(question, now))
    made.digest = digest_of(token_of(made))
    if GuestLink.objects.filter(question=question, address=address).exists():
        return
    made.save(force_insert=True)
    _send(made)


def link_of(question: Question) -> GuestLink | None:
    """The link of its guest."""
    return question.guests.order_by("-pk").first()


def asked(question: Question) -> Asked | None:
    """Who is asked, for the question's page; None where no guest is meant to be."""
    if "guest" not in question.options:
        return None
    link = link_of(question)
    address = link.address if link is not None else address_of(question)
    mail = Notification.objects.filter(kind=KIND, fact=fact_of(link)).first() if link is not None else None
    return Asked(address, link, mail, why_nobody(question))


def renew(user: Any, question: Question) -> GuestLink:
    """Send a new link, which ends the one before; of whoever may answer. Conflict when the question is over."""
    link = _of_those_who_may(user, question)
    now = timezone.now()
    with transaction.atomic():
        link = GuestLink.objects.select_for_update().get(pk=link.pk)
        link.issue, link.used_at, link.withdrawn_at = link.issue + 1, None, None
        link.expires_at, link.digest = _expiry(question, now), digest_of(token_of(link))
        link.save()
        _send(link)
        _tell(user, question, link, "guest_asked", "sent anew")
    return link


def withdraw(user: Any, question: Question) -> GuestLink:
    """Let the link open nothing any more; of whoever may answer."""
    link = _of_those_who_may(user, question)
    with transaction.atomic():
        if not GuestLink.objects.filter(pk=link.pk, withdrawn_at=None).update(withdrawn_at=timezone.now()):
            raise Conflict("It was withdrawn before.")
        _tell(user, question, link, "guest_withdrawn", "withdrawn")
    link.refresh_from_db()
    return link


def _of_those_who_may(user: Any, question: Question) -> GuestLink:
    permissions.require(user, permissions.SIGNAL_RUN, question.namespace)
    if not questions.may_answer(user, question):
        raise PermissionDenied("You may not answer this question, so you can't ask others to.")
    questions.refuse_answered(question)
    if why := questions.why_over(question, question.run):
        raise Conflict(why)
    link = link_of(question)
    if link is None:
        raise NotFoundError(why_nobody(question) or "This question has no guest.")
    if _expiry(question, timezone.now()) <= timezone.now():
        raise Refused("The time to answer has passed, so a new link would open nothing.")
    return link


def _tell(user: Any, question: Question, link: GuestLink, action: str, outcome: str) -> None:
    """The audit, and the feed last."""
    audit.append(
        audit.GUEST, user, run=question.run, question=question, outcome=outcome, data={"address": link.address}
    )
    data = {"question": question.pk, "action": action, "user": user.get_username(), "to": link.address}
    feed.append(feed.QUESTION, run=question.run, data=data)


def _send(link: GuestLink) -> None:
    """Put its mail into the outbox; the link itself is written into it when it is sent."""
    question = link.question
    Notification.objects.create(
        kind=KIND,
        fact=fact_of(link),
        method=Notification.Method.EMAIL,
        address=link.address,
        question=question,
        run=question.run,
        data={"link": link.pk},
        next_at=timezone.now(),
    )


def fact_of(link: GuestLink) -> str:
    """What its mail tells of."""
    return f"guest {link.pk} {link.issue}"


def _expiry(question: Question, now: datetime) -> datetime:
    return min(question.nearest_at, now + LONGEST)


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= _LONGEST_ADDRESS
