"""System checks: a bad combination of settings is said here, with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from engine.asks.http.addresses import Allowed
from wippy_console.database import texts
from wippy_console.http import app_pages
from wippy_console.models.runs import SEARCHED
from wippy_console.services import python_functions

LOCAL_HOSTS = {"127.0.0.1", "localhost", "[::1]", "testserver"}


@register()
def check_serving(**_: Any) -> list[CheckMessage]:
    """Check how the console is offered to browsers."""
    return list(_serving_problems())


def _serving_problems() -> Iterator[CheckMessage]:
    public = set(settings.ALLOWED_HOSTS) - LOCAL_HOSTS
    if settings.DEBUG and settings.SECURE:
        yield Error("WIPPY_DEBUG and WIPPY_SECURE are both on.", hint="Unset WIPPY_DEBUG.", id="wippy_console.E001")
    if public and settings.DEBUG:
        yield Error(
            "WIPPY_DEBUG shows source and settings to the hosts of ALLOWED_HOSTS.",
            hint="Unset WIPPY_DEBUG, or ALLOWED_HOSTS.",
            id="wippy_console.E002",
        )
    if public and not settings.SECURE:
        yield Warning(
            "Other machines may reach the console, and passwords would travel in clear text.",
            hint="Put a proxy with TLS in front and set WIPPY_SECURE=1.",
            id="wippy_console.W001",
        )
    if settings.WIPPY_DATA.stat().st_mode & 0o077:
        yield Warning(
            "Other accounts of the machine may look into WIPPY_DATA, where the database and the secret key are.",
            hint=f"Run chmod 700 {settings.WIPPY_DATA}.",
            id="wippy_console.W004",
        )


@register()
def check_temporal(**_: Any) -> list[CheckMessage]:
    """Check how Temporal is reached."""
    return list(_temporal_problems())


def _temporal_problems() -> Iterator[CheckMessage]:
    temporal = settings.TEMPORAL
    if bool(temporal.client_cert) != bool(temporal.client_key):
        yield Error(
            "Only one of TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH is set.",
            hint="Set both for mTLS, or neither.",
            id="wippy_console.E003",
        )
    if temporal.embedded and (temporal.api_key or temporal.client_cert or temporal.tls):
        yield Error(
            "Credentials for Temporal are set, but the embedded server is used.",
            hint="Set TEMPORAL_ADDRESS to your cluster, or unset the credentials.",
            id="wippy_console.E004",
        )


@register()
def check_http(**_: Any) -> list[CheckMessage]:
    """Check what requests of Lua code may reach."""
    try:
        Allowed(settings.HTTP_ALLOW)
    except ValueError as error:
        hint = "Name hosts, addresses and networks, as 10.0.0.0/8,127.0.0.1:8080,hooks.local,unix:/run/app.sock."
        return [Error(f"WIPPY_HTTP_ALLOW can't be read: {error}.", hint=hint, id="wippy_console.E005")]
    return []


@register()
def check_python(**_: Any) -> list[CheckMessage]:
    """Check which Python code entries may name."""
    wrong = {each: python_functions.wrong_pattern(each) for each in settings.PYTHON_FUNCTIONS}
    hint = "Name modules or functions of your apps, as shop.payments.*,billing.functions.*."
    return [
        Error(f"WIPPY_PYTHON_FUNCTIONS: {pattern} {text}.", hint=hint, id="wippy_console.E006")
        for pattern, text in wrong.items()
        if text
    ]


@register(Tags.models)
def check_apps(**_: Any) -> list[CheckMessage]:
    """Check that the tables of apps are made."""
    return [
        Warning(
            f"{config.label}, an app of WIPPY_APPS, has models and no migrations: its tables are not made.",
            hint=f"Run manage.py makemigrations {config.label}, and then manage.py migrate.",
            id="wippy_console.W003",
        )
        for config in app_pages.added()
        if any(each._meta.managed for each in config.get_models()) and not app_pages.has(config, "migrations")
    ]


@register(Tags.database)
def check_search(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Check that searches have their index, of the databases that are asked for: `check --database default`."""
    return [
        Warning("Every search of runs reads every run.", hint=problem, id="wippy_console.W002")
        for name in databases or ()
        if (problem := texts.problem(connections[name], SEARCHED))
    ]
