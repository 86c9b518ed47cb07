"""E-mail, through Django's backend: a short text, and the same as HTML."""

from __future__ import annotations

import smtplib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from wippy_console.services.notifications.methods.errors import NotSent

NOT_SET_UP = "No e-mail is set up here: set EMAIL_HOST, then send it again."


def is_set_up() -> bool:
    """Whether mails go anywhere: to a server, or to a backend that somebody chose."""
    return bool(settings.EMAIL_HOST) or not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend")


def send(address: str, notification_id: str, subject: str, text: str, html: str) -> None:
    """Send it with an id that stays the same when it is sent again."""
    if not is_set_up():
        raise NotSent(NOT_SET_UP, final=True)
    host = urlsplit(settings.WIPPY_URL).hostname or "wippy"
    headers = {
        "Message-ID": f"<{notification_id}@{host}>",
        "Wippy-Id": notification_id,
        "Auto-Submitted": "auto-generated",
    }
    one_line = " ".join(subject.split())
    try:
        mail = EmailMultiAlternatives(
            one_line, text, settings.DEFAULT_FROM_EMAIL, [address], headers=headers, connection=get_connection()
        )
        mail.attach_alternative(html, "text/html")
        mail.send()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotSent(f"{type(error).__name__}: {error}"[:300]) from error
