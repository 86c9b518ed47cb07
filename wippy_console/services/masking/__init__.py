"""Values that entries declare for few eyes (`meta.mask`): dots for whoever may not see them, or has not asked to."""

from wippy_console.models.masks import MASK, Veil, longest, masked, of_entry, telling
from wippy_console.services.masking.eyes import (
    hide,
    may_see,
    note_file,
    sees,
    show,
    told,
    unveil,
)

__all__ = [
    "MASK",
    "Veil",
    "hide",
    "longest",
    "masked",
    "may_see",
    "note_file",
    "of_entry",
    "sees",
    "show",
    "telling",
    "told",
    "unveil",
]
