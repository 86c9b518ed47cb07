"""Grants: in which namespaces the rights of groups count."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from wippy_console import permissions
from wippy_console.admin import base
from wippy_console.models import Grant
from wippy_console.services import rights

CHOICES = [(each.partition(".")[2], permissions.words(each).capitalize()) for each in permissions.RIGHTS]


class GrantForm(forms.ModelForm):  # type: ignore[type-arg] # not generic when it runs
    """Rights by their words; the model checks that the group holds them."""

    rights = forms.MultipleChoiceField(
        choices=CHOICES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Of those that the group has. None chosen: all of them.",
    )


@admin.register(Grant)
class GrantAdmin(base.FrugalAdmin[Grant]):
    """In which namespaces the rights of a group count; without one, everywhere."""

    small = True
    form = GrantForm
    list_display = ["group", "pattern", "counts_for"]
    list_filter = ["group"]
    list_select_related = ["group"]
    search_fields = ["pattern", "group__name"]
    autocomplete_fields = ["group"]

    @admin.display(description="rights")
    def counts_for(self, grant: Grant) -> str:
        """Its rights, or that it is for all."""
        return ", ".join(grant.rights) or "all that the group has"

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        """With a row of the audit, and one more for a group that it is taken from."""
        before = Grant.objects.select_related("group").filter(pk=obj.pk).first()
        super().save_model(request, obj, form, change)
        rights.note(request.user, obj.group)
        if before is not None and before.group != obj.group:
            rights.note(request.user, before.group)

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        """The same."""
        super().delete_model(request, obj)
        rights.note(request.user, obj.group)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Grant]) -> None:
        """The same for each."""
        for each in list(queryset):
            self.delete_model(request, each)
