"""The reconciler: follows Temporal for what no node observed, and repairs what a crash lost.

One node of the fleet runs it, the oldest that lives (`fleet.leader`).
"""

from wippy_console.services.reconciler.rebuilding import rebuild
from wippy_console.services.reconciler.reconciler import Reconciler
from wippy_console.services.visibility import clients_in_use

__all__ = ["Reconciler", "clients_in_use", "rebuild"]
