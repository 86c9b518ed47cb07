"""The mail to a guest: what is asked, until when, and the link, whose secret is written nowhere else."""

from __future__ import annotations

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from wippy_console.models import GuestLink, Notification
from wippy_console.services import guests
from wippy_console.services.markdown import to_text
from wippy_console.services.notifications.methods import mail
from wippy_console.services.notifications.methods.errors import NotSent


def send(row: Notification) -> None:
    """Send it; NotSent for good when the link opens nothing any more, or a newer one is on its way."""
    link = GuestLink.objects.select_related("question__run").filter(pk=row.data.get("link")).first()
    if link is None or row.fact != guests.fact_of(link):
        raise NotSent("A newer link took its place.", final=True)
    try:
        guests.refuse_over(link)
    except guests.Gone as gone:
        raise NotSent(gone.message, final=True) from gone
    question = link.question
    said = {
        "subject": question.title or f"{' or '.join(signal.label for signal in guests.offered(question)[:4])}?",
        "lead": to_text(question.text),
        "link": settings.WIPPY_URL.rstrip("/") + reverse("guest", args=(guests.token_of(link),)),
        "until": date_format(timezone.localtime(link.expires_at), "Y-m-d H:i T"),
    }
    text = render_to_string("notifications/guest.txt", said)
    mail.send(row.address, str(row.id), said["subject"], text, render_to_string("notifications/guest.html", said))
