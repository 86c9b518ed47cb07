"""What entries mask (`meta.mask`): paths, dots in their place, and the columns of runs that are read through them."""

from wippy_console.models.masks.declared import anything, of_entry, turn
from wippy_console.models.masks.dots import MASK, masked, steps
from wippy_console.models.masks.field import VeiledField, whole
from wippy_console.models.masks.veil import Veil, longest, telling, veil_of

__all__ = [
    "MASK",
    "Veil",
    "VeiledField",
    "anything",
    "longest",
    "masked",
    "of_entry",
    "steps",
    "telling",
    "turn",
    "veil_of",
    "whole",
]
