"""Values that entries declare for few eyes (`meta.mask`): dots for whoever may not see them, or has not asked to."""

from wippy_console.services.masking.declared import of_entry, of_run
from wippy_console.services.masking.dots import MASK, masked
from wippy_console.services.masking.eyes import may_see, sees

__all__ = ["MASK", "masked", "may_see", "of_entry", "of_run", "sees"]
