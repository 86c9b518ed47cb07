"""Accounts of other systems, which act by tokens: made and changed by administrators."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from wippy_console.forms.access_tokens import AccountForm
from wippy_console.forms.refusals import submit
from wippy_console.services import access_tokens, accounts, service_accounts
from wippy_console.views.pages import needs, page, user_of
from wippy_console.views.typed import typed_in

LIST = "service_accounts"


def index(request: HttpRequest) -> HttpResponse:
    """All of them."""
    user = user_of(request)
    context = {
        "accounts": [(each, accounts.short(each)) for each in service_accounts.listed(user)],
        "may_add": user.has_perm(service_accounts.ADD),
        "may_change": user.has_perm(service_accounts.CHANGE),
        "sees_tokens": user.has_perm(access_tokens.SEE_OTHERS),
    }
    return page(request, "accounts/list.html", context)


@needs(service_accounts.ADD)
def new(request: HttpRequest) -> HttpResponse:
    """The form of a new one, and what comes of it."""
    user, typed = user_of(request), typed_in(request)
    form = AccountForm(typed.data, groups=service_accounts.giveable(user))
    outcome = typed.settle(
        submit(lambda: service_accounts.make(user, form.cleaned_data["name"], form.cleaned_data["groups"]), form)
    )
    if outcome.done:
        messages.success(request, f"{outcome.value} was made. It acts by tokens: make one for it.")
        return redirect(LIST)
    return page(request, "accounts/account.html", {"form": form, "typed": typed}, outcome.status)


@needs(service_accounts.CHANGE)
def edit(request: HttpRequest, account_id: int) -> HttpResponse:
    """The form of one, and what comes of it."""
    user, typed = user_of(request), typed_in(request)
    account = service_accounts.get(user, account_id)
    form = AccountForm(typed.data, groups=service_accounts.giveable(user), account=account)
    outcome = typed.settle(submit(lambda: changed(user, account, form), form))
    if outcome.done:
        messages.success(request, f"{account} was changed.")
        return redirect(LIST)
    context = {"form": form, "typed": typed, "account": account, "name": accounts.short(account)}
    return page(request, "accounts/account.html", context, outcome.status)


def changed(user: Any, account: Any, form: AccountForm) -> None:
    """Do what the form says."""
    given = form.cleaned_data
    service_accounts.change(user, account.pk, given["groups"], is_active=given["active"])
