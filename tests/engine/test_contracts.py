"""Each contract of engine/contracts has an implementer that fits it, which mypy proves by the signature here.

Where hosts are told apart at run time (`isinstance`), Python itself compares no more than names of methods.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import get_args, get_type_hints

from engine import contracts
from engine.asks.operations import Asked, Held
from engine.asks.sql.asks import SqlAsks
from engine.asks.sql.handles import Transaction
from engine.contracts.catalog import Catalog
from engine.contracts.directory import Directory
from engine.contracts.fleet_names import FleetNames
from engine.contracts.host import Host, ProcessHost
from engine.contracts.node import Node
from engine.contracts.operation import Cancelation, Closing, Holdings, Outside
from engine.contracts.operations import Operations
from engine.contracts.peers import PeerHost, Peers
from engine.contracts.registry import RegistryAccess
from engine.contracts.serving import Outlet, Server
from engine.contracts.tokens import TokenVault
from engine.contracts.watcher import Interruptible, Watcher
from engine.hosts.actor.hosts import ActorHost
from engine.hosts.temporal.client.host import WorkflowHost
from engine.hosts.temporal.node import peers
from engine.lua.unit import Unit
from engine.memory.catalog import MemoryCatalog
from engine.memory.fleet import MemoryFleet
from engine.memory.registry import MemoryRegistry
from engine.memory.tokens import MemoryVault
from engine.node import LocalNode
from wippy_console.services.registry.catalog import DatabaseCatalog
from wippy_console.worker.asks.registry import DatabaseRegistry
from wippy_console.worker.asks.tokens import DatabaseVault
from wippy_console.worker.fleet.directory import DatabaseDirectory
from wippy_console.worker.fleet.names import DatabaseNames
from wippy_console.worker.hooks import Hooks, Pieces
from wippy_console.worker.node import WorkerNode
from wippy_console.worker.watch.watcher import StepWatcher


def in_the_engine(
    node: LocalNode,
    actors: ActorHost,
    workflows: WorkflowHost,
    others: peers.TemporalPeers,
    other: peers.RemoteNode,
    catalog: MemoryCatalog,
    registry: MemoryRegistry,
    vault: MemoryVault,
    fleet: MemoryFleet,
    unit: Unit,
) -> tuple[Node, ProcessHost, Host, Peers, PeerHost, Catalog, RegistryAccess, TokenVault, Directory, Interruptible]:
    return node, actors, workflows, others, other, catalog, registry, vault, fleet, unit


def in_the_console(
    node: WorkerNode,
    catalog: DatabaseCatalog,
    registry: DatabaseRegistry,
    vault: DatabaseVault,
    directory: DatabaseDirectory,
    names: DatabaseNames,
    watcher: StepWatcher,
) -> tuple[Operations, Catalog, RegistryAccess, TokenVault, Directory, FleetNames, Watcher]:
    return node, catalog, registry, vault, directory, names, watcher


def of_operations(
    held: Held, asked: Asked, handle: Transaction, module: SqlAsks
) -> tuple[Holdings, Cancelation, Closing, Outside]:
    return held, asked, handle, module


def of_serving(outlet: Pieces, server: Hooks) -> tuple[Outlet, Server]:
    return outlet, server


def test_no_contract_is_without_an_implementer() -> None:
    proved = {
        each
        for proof in (in_the_engine, in_the_console, of_operations, of_serving)
        for each in get_args(get_type_hints(proof)["return"])
    }
    files = pkgutil.iter_modules(contracts.__path__, f"{contracts.__name__}.")
    declared = {
        each
        for module in (importlib.import_module(file.name) for file in files)
        for each in vars(module).values()
        if getattr(each, "_is_protocol", False) and each.__module__ == module.__name__
    }
    assert declared and declared == proved
