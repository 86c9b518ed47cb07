"""Variables by which endpoints know their senders, as web processes find them: declared by entries, or set."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from django.conf import settings

from engine.asks.env import EnvAsks
from engine.asks.storages import Storages
from engine.asks.variables import DecodedCatalog, Variables
from engine.contracts.catalog import Catalog
from engine.errors import UnitFailed
from wippy_console.env import variables_for_lua
from wippy_console.services import temporal


def variables() -> Mapping[str, str]:
    """All by name: of `env.variable` entries, else of the environment, without the console's own keys."""
    return _variables(temporal.catalog())


@lru_cache(1)
def _variables(catalog: Catalog) -> Mapping[str, str]:
    environ = variables_for_lua()
    plain = DecodedCatalog(catalog, environ)
    return Variables(EnvAsks(plain, Storages(plain, environ, settings.WIPPY_DATA / "env")), environ)


def value(name: str) -> str | None:
    """The secret of that name; None when it is not set, is empty or can't be read, so that no door opens by it."""
    try:
        return variables().get(name) or None
    except (UnitFailed, OSError):
        return None
