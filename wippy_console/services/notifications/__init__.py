"""Notifications: whom to tell of what, the outbox that keeps it, and how it goes out.

Whatever happens is told by `tell`, in the transaction of the fact; the worker that leads sends it. Web processes send
nothing.
"""

from wippy_console.services.notifications.delivery import deliver
from wippy_console.services.notifications.outbox import tell, tell_all
from wippy_console.services.notifications.receivers import News
from wippy_console.services.notifications.rules import KINDS, METHODS

__all__ = ["KINDS", "METHODS", "News", "deliver", "tell", "tell_all"]
