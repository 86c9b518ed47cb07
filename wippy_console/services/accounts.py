"""Who acts, as histories and messages name them; and the accounts of the command line, by which nobody signs in.

Decisions refer to a user, hence the accounts. An option `--as USER` was rejected: whoever runs manage.py would put
another's name into the audit.
"""

from __future__ import annotations

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import transaction

_COMMAND_LINE = "cli:"  # a form takes no user name with a colon: nobody else is called so
_LONGEST = 150


def identity(user: User) -> str:
    """The user as histories record them: `user:olga`, or `cli:olga` at the command line."""
    name = user.get_username()
    return name if is_command_line(user) else f"user:{name}"


def is_command_line(user: User) -> bool:
    """Whether it is the account of somebody at the command line."""
    return user.get_username().startswith(_COMMAND_LINE)


def command_line(name: str) -> User:
    """The account of a user of the operating system at the command line, for the rows of what they do.

    It is made when it first acts; it is not active and has no password, so nobody can sign in by it. What is
    returned holds every right, in memory alone: whoever runs manage.py has the database anyway.
    """
    fields = {"is_active": False, "password": make_password(None)}
    with transaction.atomic():
        user, _ = User.objects.get_or_create(username=f"{_COMMAND_LINE}{name}"[:_LONGEST], defaults=fields)
    user.is_active = user.is_superuser = True
    return user
