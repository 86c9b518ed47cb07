"""Who acts, as histories and messages name them; and the accounts of the command line, by which nobody signs in.

Decisions refer to a user, hence the accounts. Who acts for another (`--as`) does so by an account that names both:
whoever runs manage.py can't put another's name alone into the audit.
"""

from __future__ import annotations

import re
from hashlib import sha256

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction

from wippy_console.services.errors import Refused

_COMMAND_LINE = "cli:"  # a form takes no user name with a colon: nobody else is called so
_LONGEST = 150
_SERVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
CLOCK = "auto:clock"
"""Whoever does what happens by itself when its time has come."""
CODE = "auto:code"
"""Whoever starts workflows by code of Django apps in nobody's name."""
WEBHOOK = "auto:webhook"
"""Whoever starts and signals by webhooks; the audit names the delivery."""
GUEST = "auto:guest"
"""Whoever has no account; the decision says who it is."""


def identity(user: User) -> str:
    """The user as histories record them: `user:olga`; of our own accounts the name, such as `cli:olga`."""
    return identity_of(user.get_username())


def identity_of(name: str) -> str:
    """The same of a user's name."""
    return name if ":" in name else f"user:{name}"


def person(user: User) -> User:
    """The user of the console on whose behalf an account of the command line acts, else the very account."""
    _, slash, name = user.get_username().partition("/")
    found = User.objects.filter(username=name).first() if slash and is_command_line(user) else None
    return found or user


def clock() -> User:
    """The account of what happens by itself when its time has come."""
    return _nobodys(CLOCK)


def is_clock(user: User) -> bool:
    """Whether it is the account of what happens by itself."""
    return user.get_username() == CLOCK


def code() -> User:
    """The account of code of Django apps that acts in nobody's name."""
    return _nobodys(CODE)


def webhook() -> User:
    """The account of other systems that send webhooks."""
    return _nobodys(WEBHOOK)


def guest() -> User:
    """The account of those who have none."""
    return _nobodys(GUEST)


def is_command_line(user: User) -> bool:
    """Whether it is the account of somebody at the command line."""
    return user.get_username().startswith(_COMMAND_LINE)


def is_nobodys(user: User) -> bool:
    """Whether it is one of ours, by which nobody signs in: of the command line, the clock, or guests."""
    return ":" in user.get_username()


def command_line(name: str) -> User:
    """The account of a user of the operating system at the command line, for the rows of what they do.

    It is made when it first acts; it is not active and has no password, so nobody can sign in by it. What is
    returned holds every right, in memory alone: whoever runs manage.py has the database anyway.
    """
    return _nobodys(_cut(f"{_COMMAND_LINE}{name}"))


SERVICE = "service:"
"""How the names of service accounts begin: they have groups as people have, no password, and act by tokens."""


def service(name: str) -> User:
    """Make the service account of that name; Refused when it exists, or is no name."""
    if not _SERVICE_NAME.fullmatch(name):
        text = "Use letters, digits, dots, dashes and underscores, at most 100."
        raise Refused(text, {"name": [text]})
    with transaction.atomic():
        user, is_new = User.objects.get_or_create(
            username=f"{SERVICE}{name}", defaults={"password": make_password(None)}
        )
    if not is_new:
        text = f"There is a service account {name} already."
        raise Refused(text, {"name": [text]})
    return user


def is_service(user: User) -> bool:
    """Whether it is the account of another system, which acts by tokens."""
    return user.get_username().startswith(SERVICE)


def short(user: User) -> str:
    """What a service account is called among its kind."""
    return user.get_username().removeprefix(SERVICE)


def act_by(user: User, token: str) -> None:
    """From now on the audit names the token, too, of what this user object does."""
    user.__dict__["_wippy_token"] = token


def token_of(user: object) -> str:
    """By which token the user object acts, "" by none."""
    return str(getattr(user, "__dict__", {}).get("_wippy_token", ""))


def _nobodys(name: str) -> User:
    fields = {"is_active": False, "password": make_password(None)}
    with transaction.atomic():
        user, _ = User.objects.get_or_create(username=name, defaults=fields)
    user.is_active = user.is_superuser = True
    return user


def reading(name: str) -> User:
    """The same account for what only reads: with every right, in memory alone; it leaves no row."""
    return User(username=_cut(f"{_COMMAND_LINE}{name}"), is_active=True, is_superuser=True)


def _cut(name: str) -> str:
    """The name as a column holds it; what is left out of a longer one stays in a digest, so that no two are one."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 17]}~{sha256(name.encode(errors='surrogateescape')).hexdigest()[:16]}"


def named(name: str) -> User:
    """The active user of that name; Refused when there is none."""
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None or is_nobodys(user):
        raise Refused(f"There is no active user {name!r}.", {"as": [f"There is no active user {name!r}."]})
    return user


def on_behalf(name: str, of: str) -> User:
    """The account of a user of the operating system who acts for a user of the console: `cli:root/olga`.

    It has the other's rights and groups, as they are now. Refused when there is no such user, or an inactive one.
    """
    other = named(of)
    user = command_line(f"{name}/{of}")
    user.groups.set(other.groups.all())
    user.user_permissions.set(other.user_permissions.all())
    user.is_superuser = other.is_superuser
    return user
