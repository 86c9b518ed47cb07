"""What a person may do where, and why."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from wippy_console.services import rights
from wippy_console.views.pages import page


def show(request: HttpRequest, user_id: int) -> HttpResponse:
    """For oneself, and for administrators."""
    person = rights.person(request.user, user_id)
    context = {
        "person": person,
        "rights": rights.explained(person),
        "groups": rights.groups_of(person),
        "may_edit": request.user.has_perm(rights.CHANGE_GRANT),
        "oneself": person == request.user,
    }
    return page(request, "people/rights.html", context)
