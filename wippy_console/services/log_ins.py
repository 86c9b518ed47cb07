"""Log-ins that failed: whoever guesses waits. django-axes counts them, for a name and the address that it came from."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.http import HttpRequest
from django.utils import timezone

from wippy_console import permissions
from wippy_console.models import FailedLogin
from wippy_console.services import audit, senders

logger = logging.getLogger(__name__)

MOST: int = settings.AXES_FAILURE_LIMIT
MOST_OF_ADDRESS = 10 * MOST
"""For all names together: whoever tries one password on everybody."""

WAIT: timedelta = settings.AXES_COOLOFF_TIME
LOCKED = (
    f"Too many log-ins failed, so none is tried for now. Wait {WAIT.seconds // 60} minutes, or ask an administrator"
    " to lift the lock."
)
EVERY_NAME = "every name from this address"
UNKNOWN = "0.0.0.0"  # noqa: S104 - nothing is bound to it: a socket of the file system has no address


def address(request: HttpRequest) -> str:
    """Who sent it. An IPv6 address counts as its network: whoever has one has all of that."""
    try:
        sender = ip_address(senders.address(request.META))
    except ValueError:
        return UNKNOWN
    if isinstance(sender, IPv6Address):
        return str(sender.ipv4_mapped or ip_network((int(sender), 64), strict=False).network_address)
    return str(sender)


class Throttle(AxesStandaloneBackend):  # type: ignore[misc] # has no types
    """Asked before any other backend. Code that asks without a request is nobody who guesses."""

    def authenticate(self, request: HttpRequest | None, *args: Any, **credentials: Any) -> None:
        """Stops all backends where too many failed."""
        if request is not None:
            super().authenticate(request, *args, **credentials)


class Failures(AxesDatabaseHandler):  # type: ignore[misc] # has no types
    """Of a name from an address, whatever browser it says it is; and of an address, whatever the names."""

    def get_failures(self, request: Any, credentials: dict[str, Any] | None = None) -> int:
        """As many as count against the limit."""
        from_there = _from_address(request.axes_ip_address)
        of_name: int = super().get_failures(request, credentials)
        return max(of_name, from_there * MOST // MOST_OF_ADDRESS)

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
        """Count it, and say so when it was one too many."""
        if request is None:
            return
        was_locked, request.axes_user_agent = request.axes_locked_out, ""
        super().user_login_failed(sender, credentials, request, **kwargs)
        if request.axes_locked_out and not was_locked:
            name = credentials.get("username", "")
            logger.warning("too many log-ins failed for %r from %s: locked for now", name, request.axes_ip_address)


def beginning() -> datetime:
    """What failed before then counts no more."""
    return timezone.now() - WAIT


def lock(row: FailedLogin) -> str:
    """What cannot log in by these failures: the name from its address, every name from there, or "" nothing."""
    if _from_address(row.ip_address) >= MOST_OF_ADDRESS:
        return EVERY_NAME
    return "this name from this address" if row.failures_since_start >= MOST else ""


def _from_address(address: str | None) -> int:
    ours = FailedLogin.objects.filter(ip_address=address, attempt_time__gte=beginning())
    return ours.aggregate(all=Sum("failures_since_start"))["all"] or 0


def lift(user: Any, rows: Iterable[FailedLogin]) -> int:
    """Forget failures, of the whole address where that is locked: the next log-in is tried."""
    permissions.require(user, permissions.LIFT_LOCK)
    told = [(row, {} if lock(row) == EVERY_NAME else {"username": row.username}) for row in rows]
    with transaction.atomic():
        for row, name in told:
            FailedLogin.objects.filter(ip_address=row.ip_address, **name).delete()
            data = {"address": row.ip_address, "failed": row.failures_since_start}
            audit.append(audit.UNLOCK, user, label=row.username or "", outcome="done", data=data)
    return len(told)
