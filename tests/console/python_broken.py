"""A module whose imports fail."""

from tests.console.python_code import nothing_here  # type: ignore[attr-defined]

__all__ = ["nothing_here"]
