"""Log in and out."""

from __future__ import annotations

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest


class LoginForm(AuthenticationForm):
    """Django's own, with widgets that password managers and our style understand."""

    def __init__(self, request: HttpRequest | None = None, *args: object, **kwargs: object) -> None:
        super().__init__(request, *args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "input"


login = views.LoginView.as_view(
    template_name="session/login.html", authentication_form=LoginForm, redirect_authenticated_user=True
)
logout = views.LogoutView.as_view()
