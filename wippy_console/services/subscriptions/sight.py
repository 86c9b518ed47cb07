"""What of the feed the bearers of tokens may see, and why one gets nothing any more."""

from __future__ import annotations

from collections.abc import Iterable

from wippy_console import permissions
from wippy_console.models import AccessToken
from wippy_console.services import feed
from wippy_console.services.feed import Sight

_WHY = {
    "revoked": "Its token {} was revoked.",
    "expired": "Its token {} has expired.",
    "inactive": "The account of its token {} is not active.",
}
BLIND = "Its token {} may not see the feed."


def sights(tokens: Iterable[AccessToken]) -> dict[int, Sight]:
    """What each may see now, nothing by one that does not count; three queries, however many they are."""
    found = {token.pk: token for token in tokens}
    standing = [token for token in found.values() if token.state == "active"]
    scopes = permissions.scopes_of({token.owner for token in standing}, feed.SEEN_BY)
    seen = dict.fromkeys(found, feed.NOTHING)
    for token in standing:
        held = scopes[token.owner_id].items()
        within = {right: permissions.limited(scope, right, token.rights, token.namespaces) for right, scope in held}
        seen[token.pk] = feed.sight_of(within)
    return seen


def of(token: AccessToken) -> Sight:
    """The same of one."""
    return sights([token])[token.pk]


def why_nothing(token: AccessToken) -> str:
    """Why its bearer sees nothing."""
    return _WHY.get(token.state, BLIND).format(token.name)
