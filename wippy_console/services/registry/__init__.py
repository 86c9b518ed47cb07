"""The registry: entries as they stand, versions, and publishing.

Reading asks for no permission, callers do; publishing checks the rights itself.
"""

from engine.registry.changes import Changes
from wippy_console.services.registry.applying import Edited, Edits, Plan, apply, export, plan
from wippy_console.services.registry.catalog import DatabaseCatalog
from wippy_console.services.registry.publishing import (
    delete_entry,
    may_publish,
    preview,
    publish,
    publish_from_lua,
    restore_from_lua,
    save_entry,
)
from wippy_console.services.registry.reading import (
    current_number,
    current_version,
    entries,
    entry,
    in_force,
    latest_versions,
    of_kinds,
    revisions,
    snapshot,
    tree,
    used_by,
    version_numbers,
)
from wippy_console.services.registry.refusals import ChangesRefused, ForbiddenError, StaleBaseError
from wippy_console.services.registry.seeing import (
    entries_for,
    entry_for,
    sees,
    used_by_for,
    versions_for,
    workflows_for,
)
from wippy_console.services.registry.titles import titles, workflows

__all__ = [
    "Changes",
    "ChangesRefused",
    "DatabaseCatalog",
    "Edited",
    "Edits",
    "ForbiddenError",
    "Plan",
    "StaleBaseError",
    "apply",
    "current_number",
    "current_version",
    "delete_entry",
    "entries",
    "entries_for",
    "entry",
    "entry_for",
    "export",
    "in_force",
    "latest_versions",
    "may_publish",
    "of_kinds",
    "plan",
    "preview",
    "publish",
    "publish_from_lua",
    "restore_from_lua",
    "revisions",
    "save_entry",
    "sees",
    "snapshot",
    "titles",
    "tree",
    "used_by",
    "used_by_for",
    "version_numbers",
    "versions_for",
    "workflows",
    "workflows_for",
]
