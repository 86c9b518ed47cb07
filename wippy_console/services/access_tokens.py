"""Access tokens of the API: made by their owners or for service accounts, shown once, limited, revoked."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from wippy_console import permissions
from wippy_console.database.storable import storable_text
from wippy_console.models import AccessToken, Subscription
from wippy_console.models.grants import BAD_PATTERN, is_pattern
from wippy_console.services import accounts, audit, service_accounts
from wippy_console.services.errors import NotFoundError, Refused

MAKE_FOR_OTHERS = f"{permissions.APP}.add_accesstoken"
SEE_OTHERS = f"{permissions.APP}.view_accesstoken"
REVOKE_OTHERS = f"{permissions.APP}.change_accesstoken"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

BEGINS = "wippy_"
_HINT = len(BEGINS) + 6
_BYTES = 32
_LONGEST = 200
_LONGEST_ADDRESS = 45
_MAPPED_BITS = 96
"""Of an IPv6 address, before those of an IPv4 one."""

_MINUTE = timedelta(minutes=1)
MOST_PER_MINUTE = 100_000
MOST_TOKENS = 100
"""Active ones of one owner."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some tokens, newest first; `older` is the key before which the next page begins, 0 where there is none."""

    rows: list[AccessToken]
    older: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What a token may at most: `rights` are codenames, `namespaces` patterns, `addresses` networks; none: no limit."""

    rights: Sequence[str] = ()
    namespaces: Sequence[str] = ()
    addresses: Sequence[str] = ()
    per_minute: int = 600
    expires_at: datetime | None = None


def make(by: Any, owner: User, name: str, limits: Limits) -> tuple[AccessToken, str]:
    """Make a token for oneself, or with the right for a service account; the second value is it, never to be had again.

    Those of one owner that count have different names: people tell them apart, and a form that is sent twice makes one.
    PermissionDenied; Refused (fields `name`, `rights`, `namespaces`, `addresses`, `per_minute`, `expires_at`).
    """
    _refuse_other_owners(by, owner)
    _refuse_tokens_making_tokens(by)
    _refuse_bad(name, limits)
    text = BEGINS + secrets.token_urlsafe(_BYTES)
    token = AccessToken(
        owner=owner,
        name=name.strip(),
        digest=_digest(text),
        hint=text[:_HINT],
        rights=list(limits.rights),
        namespaces=list(limits.namespaces),
        addresses=[_told(_network(each)) for each in limits.addresses],
        per_minute=limits.per_minute,
        expires_at=limits.expires_at,
        created_by=by,
    )
    with transaction.atomic():
        _refuse_more(owner, token.name)
        token.save(force_insert=True)
        _note(by, token, "made")
    return token, text


def revoke(by: Any, token_id: int) -> AccessToken:
    """From now on it counts no more, and its subscriptions get nothing; one's own, or with the right anybody's.

    NotFoundError.
    """
    with transaction.atomic():
        token = visible(by).select_for_update(of=("self",)).filter(pk=token_id).first()
        if token is None:
            raise NotFoundError("There is no such token.")
        if not may_revoke(by, token):
            raise PermissionDenied("You may not revoke the tokens of others.")
        if token.revoked_at is None:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            sending = Subscription.objects.filter(token=token, state__in=Subscription.SENDING)
            sending.update(state=Subscription.State.PAUSED, problem=f"Its token {token.name} was revoked.")
            _note(by, token, "revoked")
    return token


def may_revoke(user: Any, token: AccessToken) -> bool:
    """One's own, and with the right anybody's."""
    return bool(token.owner_id == user.pk or user.has_perm(REVOKE_OTHERS))


def visible(user: Any) -> QuerySet[AccessToken]:
    """One's own, and with the right everybody's; newest first."""
    rows = AccessToken.objects.select_related("owner", "created_by")
    return rows if user.has_perm(SEE_OTHERS) else rows.filter(owner=user)


def get(user: Any, token_id: int) -> AccessToken:
    """One of them; NotFoundError."""
    token = visible(user).filter(pk=token_id).first()
    if token is None:
        raise NotFoundError("There is no such token.")
    return token


def page(user: Any, *, counting: bool, owner: str = "", before: int | None = None, limit: int = 50) -> Page:
    """Some of those that count, or of those that are over, with the right of one owner alone."""
    rows = visible(user).filter(ACTIVE() if counting else ~ACTIVE())
    rows = rows.filter(owner__username=storable_text(owner)) if owner else rows
    listed = list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[: limit + 1])
    more, listed = len(listed) > limit, listed[:limit]
    return Page(listed, listed[-1].pk if more else 0)


def owners(user: Any) -> list[User]:
    """For whom the user may make tokens: oneself, then with the right service accounts that can do no more than that
    the user could give.
    """
    if not user.has_perm(MAKE_FOR_OTHERS):
        return [user]
    return [user, *(each for each in service_accounts.active() if service_accounts.may_hand_out(user, each))]


def may_make_for(user: Any, owner: User) -> bool:
    """Whether the user may make tokens for that service account."""
    may = user.has_perm(MAKE_FOR_OTHERS) and accounts.is_service(owner)
    return bool(may and service_accounts.may_hand_out(user, owner))


def bearer(text: str, address: str) -> AccessToken | None:
    """The token that counts, from there and now, its owner acting by it and within it; None for any other text."""
    if not text.startswith(BEGINS) or len(text) > _LONGEST:
        return None
    token = _standing(Q(digest=_digest(text)), address)
    if token is not None:
        _used(token, address)
    return token


def again(token_id: int, address: str) -> AccessToken | None:
    """The same of one that came in by it before and is here still."""
    return _standing(Q(pk=token_id), address)


def _standing(which: Q, address: str) -> AccessToken | None:
    token = AccessToken.objects.select_related("owner").filter(which, ACTIVE()).first()
    if token is None or not token.owner.is_active or not _is_within(address, token.addresses):
        return None
    permissions.limit(token.owner, token.rights, token.namespaces)
    accounts.act_by(token.owner, str(token))
    return token


def ACTIVE() -> Q:  # noqa: N802 - a condition, as of now
    """Tokens that are neither revoked nor expired."""
    return Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=timezone.now()))


def _used(token: AccessToken, address: str) -> None:
    """Note it at most once a minute: a thousand requests are not a thousand writes."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - _MINUTE:
        stale = AccessToken.objects.filter(Q(last_used_at=None) | Q(last_used_at=token.last_used_at), pk=token.pk)
        stale.update(last_used_at=now, last_used_from=storable_text(address)[:_LONGEST_ADDRESS])


def _is_within(address: str, networks: Sequence[str]) -> bool:
    if not networks:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in ipaddress.ip_network(each) for each in networks)


def _told(network: Network) -> str:
    """As people write it: that of one address is the address."""
    return str(network.network_address if network.num_addresses == 1 else network)


def _network(text: str) -> Network:
    """As it is compared: IPv4 within IPv6 (::ffff:10.0.0.0/104) is IPv4."""
    found = ipaddress.ip_network(text, strict=False)
    mapped = found.network_address.ipv4_mapped if isinstance(found, ipaddress.IPv6Network) else None
    if mapped is None or found.prefixlen < _MAPPED_BITS:
        return found
    return ipaddress.ip_network(f"{mapped}/{found.prefixlen - _MAPPED_BITS}")


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def _refuse_other_owners(by: Any, owner: User) -> None:
    if owner.pk == by.pk:
        return
    if not by.has_perm(MAKE_FOR_OTHERS):
        raise PermissionDenied("You may make tokens for yourself alone.")
    if not accounts.is_service(owner):
        raise PermissionDenied(f"{owner} makes their tokens themselves; make one for a service account.")
    if not service_accounts.may_hand_out(by, owner):
        raise PermissionDenied(f"{owner} has groups that you may not give.")


def _refuse_tokens_making_tokens(by: Any) -> None:
    """One that leaked would outlive its revocation."""
    if accounts.token_of(by):
        raise PermissionDenied("A token makes no tokens: log in.")


def _refuse_more(owner: User, name: str) -> None:
    """In a transaction, in which nobody else makes a token for the same owner."""
    User.objects.select_for_update().get(pk=owner.pk)
    names = list(owner.access_tokens.filter(ACTIVE()).values_list("name", flat=True))
    if name in names:
        text = f"There is a token {name!r} that counts: revoke it first, or choose another name."
        raise Refused(text, {"name": [text]})
    if len(names) >= MOST_TOKENS:
        raise Refused(f"{owner} has {MOST_TOKENS} tokens: revoke one first.")


def _refuse_bad(name: str, limits: Limits) -> None:
    known = {each.partition(".")[2] for each in permissions.RIGHTS}
    problems = {
        "name": [] if name.strip() and len(name) <= 100 else ["Say what it is for, in at most 100 characters."],
        "rights": [f"There is no right {each}." for each in limits.rights if each not in known],
        "namespaces": [BAD_PATTERN.format(each) for each in limits.namespaces if not is_pattern(each)],
        "addresses": [text for each in limits.addresses if (text := _bad_network(each))],
        "per_minute": []
        if 1 <= limits.per_minute <= MOST_PER_MINUTE
        else [f"Write a number from 1 to {MOST_PER_MINUTE}."],
        "expires_at": ["That is over already."]
        if limits.expires_at is not None and limits.expires_at <= timezone.now()
        else [],
    }
    if found := {field: texts for field, texts in problems.items() if texts}:
        raise Refused("The token can't be made so.", found)


def _bad_network(text: str) -> str:
    try:
        _network(text)
    except ValueError:
        return f"{text[:50]!r} is no address: write 10.1.2.3, 10.1.0.0/16 or 2001:db8::/32."
    return ""


def _note(by: Any, token: AccessToken, outcome: str) -> None:
    limits = {"rights": token.rights, "namespaces": token.namespaces, "addresses": token.addresses}
    until = {"expires_at": token.expires_at.isoformat()} if token.expires_at else {}
    about = {"of": token.owner.get_username(), **{name: given for name, given in limits.items() if given}, **until}
    audit.append(audit.TOKEN, by, label=str(token), outcome=outcome, data=about)
