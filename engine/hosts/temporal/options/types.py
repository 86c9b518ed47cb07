"""`activity.name` and `workflow.name`: options by which code runs another type than the one that it names."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import PERMISSION_DENIED, Failure, UnitFailed
from engine.hosts.temporal.options.reading import Options
from engine.security.context import is_permitted
from engine.steps import Identity, Value

ENGINE = "wippy."
"""What the engine's own activities begin with: they act in whoever's name their request says."""


def chosen_type(options: Options) -> str:
    """The type that the option `name` says, "" without one; UnitFailed (Invalid) for one of the engine's."""
    name = options.name("name")
    if name.startswith(ENGINE):
        raise options.refuse("name", f"another name than those of the engine ({ENGINE}*)")
    return name


def check_right(prefixes: tuple[str, ...], given: Mapping[str, Value], identity: Identity, action: str) -> None:
    """Raise UnitFailed (PermissionDenied) unless the unit may do the action to the type that its own options name.

    The kernel has checked the entry that it names; the options of that entry are its author's.
    """
    name = Options(prefixes, given).name("name")
    if name and not is_permitted(identity.security, identity.strict, action, name, {"pid": identity.pid}):
        details = {"action": action, "resource": name}
        raise UnitFailed(Failure(PERMISSION_DENIED, f"not allowed: {name}", retryable=False, details=details))
