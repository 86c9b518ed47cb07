"""Code that entries of tests name."""

from __future__ import annotations

import functools
import os
from typing import Any

from django.db import transaction

command = os.system


def charge(ctx: Any, order: Any) -> str:
    """Charge it."""
    return "charged"


async def slow_charge(ctx: Any) -> str:
    """Charge it later."""
    return "charged"


@transaction.atomic
def careful(ctx: Any) -> str:
    """Charge it within a transaction."""
    return "charged"


bound = functools.partial(os.system, "true")


def nothing() -> None:
    """Take no ctx."""


def with_key(ctx: Any, amount: Any = None, key: str = os.environ["PATH"]) -> str:
    """Have a default that may be a secret."""
    return key


def by_name(ctx: Any, *, order: Any) -> None:
    """Want an argument by its name."""


class Charger:
    """Charges."""

    def __call__(self, ctx: Any) -> str:
        """Charge."""
        return "charged"


charger = Charger()


def told(ctx: Any) -> None:
    """Tell much, which takes
    more than one line.

    - of this,
    - and of that
    """
