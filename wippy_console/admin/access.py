"""Tokens of the API, requests that were answered once, and log-ins that failed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from wippy_console import permissions
from wippy_console.admin import base, export
from wippy_console.models import AccessToken, FailedLogin, RepeatedRequest
from wippy_console.services import access_tokens, log_ins
from wippy_console.templatetags import console, looks

MOST = 200


@admin.register(AccessToken)
class AccessTokenAdmin(base.ReadOnlyAdmin[AccessToken]):
    """Tokens of the API: whose, what they may, when they were used. They are made on the page of tokens, which shows
    them once.
    """

    small = True
    everything = True
    change_list_template = "admin/wippy_console/tokens.html"
    actions = ["revoke", export.as_csv, export.as_json]
    exclude = ["digest"]
    list_display = ["name", "hint", "owner", "stands", "created_at", "expires_at", "last_used_at", "last_used_from"]
    list_select_related = ["owner"]
    search_fields = ["name", "hint", "owner__username"]
    search_help_text = "Name, owner, or how it begins"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators may: nobody could else delete the account that it belongs to."""
        return permissions.allows(request.user, "wippy_console.delete_accesstoken")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may revoke the tokens of others."""
        return permissions.allows(request.user, access_tokens.REVOKE_OTHERS)

    def delete_model(self, request: HttpRequest, obj: AccessToken) -> None:
        """The audit tells that it counts no more."""
        access_tokens.revoke(request.user, obj.pk)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> None:
        """Of each."""
        for token in queryset:
            self.delete_model(request, token)

    @admin.display(description="state")
    def stands(self, token: AccessToken) -> SafeString:
        """Whether it counts."""
        return console.status(looks.find("token", token.state))

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> HttpResponse | None:
        """Ask first, with what goes; then let them count no more."""
        chosen = [token for token in queryset[: MOST + 1] if token.revoked_at is None]
        if len(chosen) > MOST:
            messages.error(request, f"Revoke at most {MOST} tokens at once.")
        elif not chosen:
            messages.info(request, "They are revoked already.")
        elif "confirmed" not in request.POST:
            return self._ask(request, chosen)
        else:
            self._revoke(request, chosen)
        return None

    def _ask(self, request: HttpRequest, chosen: list[AccessToken]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Revoke {len(chosen)} token{'s' if len(chosen) > 1 else ''}?",
            "opts": self.opts,
            "media": self.media,
            "tokens": chosen,
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/wippy_console/confirm_tokens.html", context)

    def _revoke(self, request: HttpRequest, chosen: list[AccessToken]) -> None:
        for token in chosen:
            try:
                access_tokens.revoke(request.user, token.pk)
            except PermissionDenied as error:
                messages.error(request, str(error))
                return
        messages.success(request, f"{len(chosen)} {'counts' if len(chosen) == 1 else 'count'} no more.")


@admin.register(RepeatedRequest)
class RepeatedRequestAdmin(base.ReadOnlyAdmin[RepeatedRequest]):
    """Writes of the API with an Idempotency-Key, of the last day; without what they were answered."""

    everything = True
    exclude = ["body", "headers", "fingerprint"]
    list_display = ["caller", "key", "status", "created_at"]
    search_fields = ["key"]


@admin.register(FailedLogin)
class FailedLoginAdmin(base.ReadOnlyAdmin[FailedLogin]):
    """Log-ins that failed of late, and what they lock: five for a name from one address, fifty from an address."""

    small = True
    everything = True
    actions = ["lift", export.as_csv, export.as_json]
    exclude = ["user_agent", "http_accept", "path_info", "get_data", "post_data"]
    list_display = ["username", "address", "failures", "last", "locks", "locked_until"]
    search_fields = ["username"]
    search_words = ("ip_address",)
    search_help_text = "Name, or its beginning, or a part of the address"

    def get_queryset(self, request: HttpRequest) -> QuerySet[FailedLogin]:
        """Without those that count no more."""
        return super().get_queryset(request).filter(attempt_time__gte=log_ins.beginning())

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Whoever may lift locks."""
        return permissions.allows(request.user, permissions.LIFT_LOCK)

    @admin.display(description="address", ordering="ip_address")
    def address(self, row: FailedLogin) -> str:
        """From where."""
        return str(row.ip_address)

    @admin.display(description="failed", ordering="failures_since_start")
    def failures(self, row: FailedLogin) -> int:
        """How often."""
        return int(row.failures_since_start)

    @admin.display(description="last", ordering="attempt_time")
    def last(self, row: FailedLogin) -> SafeString:
        """When the last one failed."""
        return console.moment(row.attempt_time)

    @admin.display(description="locked")
    def locks(self, row: FailedLogin) -> str:
        """What cannot log in."""
        return log_ins.lock(row) or "-"

    @admin.display(description="until")
    def locked_until(self, row: FailedLogin) -> SafeString:
        """When the lock ends by itself."""
        return console.moment(row.attempt_time + log_ins.WAIT if log_ins.lock(row) else None)

    @admin.action(description="Lift the lock", permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[FailedLogin]) -> None:
        """Let them try again at once."""
        count = log_ins.lift(request.user, queryset[:MOST])
        messages.success(request, f"Lifted {count} {'lock' if count == 1 else 'locks'}: the next log-in is tried.")
