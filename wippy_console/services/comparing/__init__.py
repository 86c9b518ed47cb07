"""Compares two runs, or histories from files: step by step, with the first difference."""

from wippy_console.services.comparing.aligning import MOST, Pair, Prints, align, first_difference
from wippy_console.services.comparing.sides import FILE, Side, candidates, opened, side

__all__ = [
    "FILE", "MOST", "Pair", "Prints", "Side", "align", "candidates", "first_difference", "opened", "side",
]  # fmt: skip
