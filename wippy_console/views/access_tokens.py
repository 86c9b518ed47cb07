"""Access tokens of the API: one's own, and for administrators everybody's. A new one is shown by one answer alone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from wippy_console import permissions
from wippy_console.forms.access_tokens import TokenForm, TokensForm
from wippy_console.forms.refusals import submit
from wippy_console.models import AccessToken
from wippy_console.services import access_tokens, service_accounts
from wippy_console.views.pages import done, filters, page, user_of, zone_of
from wippy_console.views.typed import typed_in

STATES = {"active": "Active", "over": "Expired or revoked"}


def index(request: HttpRequest) -> HttpResponse:
    """The tokens that count, or those that are over."""
    user, wanted = user_of(request), filters(TokensForm(request.GET))
    state, sees_others = wanted["state"] or "active", user.has_perm(access_tokens.SEE_OTHERS)
    found = access_tokens.page(user, counting=state == "active", owner=wanted["owner"], before=wanted["before"])
    context = {
        "page": found,
        "rows": [told(user, each) for each in found.rows],
        "before": wanted["before"],
        "state": state,
        "states": STATES.items(),
        "owner": wanted["owner"],
        "sees_others": sees_others,
        "sees_accounts": user.has_perm(service_accounts.ADD) or user.has_perm(service_accounts.CHANGE),
    }
    response = page(request, "tokens/list.html", context)
    add_never_cache_headers(response)  # whoever goes back to it from a new token finds that one there
    return response


def told(user: Any, token: AccessToken) -> Any:
    """The token with its rights in words."""
    row: Any = token
    row.words = [permissions.words(f"{permissions.APP}.{each}") for each in token.rights]
    row.may_revoke = token.revoked_at is None and access_tokens.may_revoke(user, token)
    return row


def new(request: HttpRequest) -> HttpResponse:
    """The form of a token; then the token, by this answer and never again."""
    user, typed = user_of(request), typed_in(request)
    owners = access_tokens.owners(user)
    rights = [each for each in permissions.RIGHTS if len(owners) > 1 or permissions.allows(user, each)]
    form = TokenForm(typed.data, owners=owners, rights=rights, zone=zone_of(request))
    outcome = typed.settle(submit(lambda: made(user, form), form))
    if outcome.done and outcome.value is not None:
        token, text = outcome.value
        response = render(request, "tokens/made.html", {"token": told(user, token), "text": text})
        add_never_cache_headers(response)
        return response
    context = {"form": form, "typed": typed, "has_rights": bool(rights)}
    return page(request, "tokens/new.html", context, outcome.status)


def made(user: Any, form: TokenForm) -> tuple[AccessToken, str]:
    """What the form asks for."""
    return access_tokens.make(user, form.owner_of(), form.cleaned_data["name"], form.limits())


def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Confirm with what it is, and revoke it."""
    user = user_of(request)
    if request.method == "POST":
        token = access_tokens.revoke(user, token_id)
        messages.success(request, f"The token {token} counts no more.")
        return done(request, reverse("tokens"), "feed-tokens")
    token = access_tokens.get(user, token_id)
    return page(request, "tokens/revoke.html", {"token": told(user, token)})
