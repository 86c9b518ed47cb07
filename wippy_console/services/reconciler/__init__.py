"""The reconciler: follows Temporal for what no node observed, and repairs what a crash lost.

One node of the fleet runs it, the oldest that lives (`fleet.leader`).
"""

from wippy_console.services.reconciler.reconciler import Reconciler

__all__ = ["Reconciler"]
