"""What a node's entries and Lua code may know of variables: which are declared, and what `${env:NAME}` stands for."""

from __future__ import annotations

from django.conf import settings

from engine.asks.env import EnvAsks
from engine.asks.storages import Storages
from engine.asks.variables import DecodedCatalog, Variables
from engine.contracts.catalog import Catalog
from wippy_console.env import variables_for_lua
from wippy_console.services import temporal


class NodeVariables:
    """Made once per node, since variables in memory live as long as this does.

    Lua code gets to see most fields of entries, as arguments, names and options: there the keys that only clients need
    have no name.
    """

    def __init__(self, catalog: Catalog) -> None:
        plain = DecodedCatalog(catalog, variables_for_lua())  # what a variable itself says hangs on no other
        self.declared = EnvAsks(plain, Storages(plain, variables_for_lua(), settings.WIPPY_DATA / "env"))
        self.for_lua = Variables(self.declared, variables_for_lua())
        self.for_clients = Variables(self.declared, temporal.environ())
        self.catalog = DecodedCatalog(catalog, self.for_lua)
