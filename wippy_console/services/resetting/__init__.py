"""Resets: a run goes on from an earlier step as a new run; what that repeats, and doing it."""

from wippy_console.services.resetting.acting import may_reset, reset
from wippy_console.services.resetting.plans import Current, Plan, choices, likely, plan
from wippy_console.services.resetting.points import boundary, first, last

__all__ = ["Current", "Plan", "boundary", "choices", "first", "last", "likely", "may_reset", "plan", "reset"]
