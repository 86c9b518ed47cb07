"""Users and groups: Django's own; and the title of the site."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from wippy_console.admin import base, filters
from wippy_console.services import accounts

admin.site.site_header = "Wippy Console"
admin.site.site_title = "Wippy Console"
admin.site.index_title = "Administration"


class InGroup(filters.RoleFilter):
    """The members of a group."""

    title = "group"
    parameter_name = "group"
    path = "groups__name"


class PersonAdmin(base.FrugalAdmin[User], UserAdmin):  # type: ignore[type-arg] # not generic when it runs
    """Accounts; their groups are their roles."""

    list_display = ("username", "email", "roles", "is_active", "is_staff", "is_superuser", "last_login", "explained")
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("last_login", "date_joined")
    small = True
    list_filter = (InGroup, "is_active", "is_staff", "is_superuser")
    search_help_text = "Name or address, or a part of it"

    @admin.display(description="groups")
    def roles(self, user: User) -> str:
        """The names of the user's groups."""
        return ", ".join(group.name for group in user.groups.all()) or "-"

    @admin.display(description="rights")
    def explained(self, user: User) -> SafeString | str:
        """What the user may do where, and why."""
        return base.link("where and why", "rights", user_id=user.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With groups, in one query more."""
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nobody makes a superuser who is none."""
        known = super().get_readonly_fields(request, obj)
        return known if request.user.is_superuser else (*known, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor changes one, or an account that is nobody's: a new password would be a way in."""
        is_persons = obj is None or not accounts.is_nobodys(obj)
        return super().has_change_permission(request, obj) and is_persons and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nor deletes one."""
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)


class RoleAdmin(base.FrugalAdmin[Group], GroupAdmin):
    """Roles, and those that questions name; each with its rights."""

    small = True
    search_help_text = "Name of a group, or its beginning"


def _may_touch(request: HttpRequest, person: Any) -> bool:
    return request.user.is_superuser or person is None or not person.is_superuser


admin.site.unregister(User)
admin.site.register(User, PersonAdmin)
admin.site.unregister(Group)
admin.site.register(Group, RoleAdmin)
