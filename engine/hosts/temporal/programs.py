"""Which entry a workflow type means, and which program its runs begin with now."""

from __future__ import annotations

from collections.abc import Mapping

from engine.contracts.catalog import Catalog
from engine.entry import Entry
from engine.errors import INVALID, Failure, ProgramError, UnitFailed, not_found
from engine.program import Program

WORKFLOW = "workflow.lua"


def workflow_type(entry: Entry) -> str:
    """The workflow type of an entry: `meta.temporal.workflow.name`, else its id."""
    temporal = entry.meta.get("temporal")
    workflow = temporal.get("workflow") if isinstance(temporal, Mapping) else None
    name = workflow.get("name") if isinstance(workflow, Mapping) else None
    return name if isinstance(name, str) and name else entry.id


def workflow_entry(catalog: Catalog, name: str) -> Entry:
    """The `workflow.lua` entry of that id or workflow type; raises UnitFailed (NotFound)."""
    entry = catalog.entry(name)
    if entry is not None and entry.kind == WORKFLOW:
        return entry
    for other in catalog.entries(WORKFLOW):
        if workflow_type(other) == name:
            return other
    raise UnitFailed(not_found(f"workflow '{name}' not found in the registry"))


def current_program(catalog: Catalog, entry_id: str) -> tuple[Program, int]:
    """The program of an entry and the registry version that it is of; raises UnitFailed when it can't be built."""
    try:
        while True:
            version = catalog.version()
            program = catalog.current(entry_id)
            if catalog.version() == version:
                return program, version
    except ProgramError as error:
        raise UnitFailed(Failure(INVALID, str(error), retryable=False, details={"line": error.line})) from error
