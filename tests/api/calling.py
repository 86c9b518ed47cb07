"""Calls of the API as another system makes them: with a token, in JSON."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from wippy_console.services import access_tokens
from wippy_console.services.access_tokens import Limits

ROOT = "/api/v1"


@dataclass
class Api:
    """A caller; each call answers with Django's response, whose `json()` is the value."""

    token: str
    client: Client

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send one request; a `body` goes as JSON, names of headers have underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        credentials = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        text = "" if body is None else json.dumps(body)
        kind = "application/octet-stream" if body is None else "application/json"
        return self.client.generic(method, f"{ROOT}{path}", text, kind, headers={**credentials, **sent})

    def get(self, path: str, **headers: str) -> Any:
        """Read."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Write."""
        return self.call("POST", path, {} if body is None else body, **headers)


def api_of(user: User, **limits: Any) -> Api:
    """A caller with a new token of the user's."""
    _, text = access_tokens.make(user, user, f"tests {uuid.uuid4()}", Limits(**limits))
    return Api(text, Client(raise_request_exception=False))


def stranger() -> Api:
    """A caller without any."""
    return Api("", Client(raise_request_exception=False))
