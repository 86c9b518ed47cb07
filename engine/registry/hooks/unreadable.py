"""What a field of an endpoint says that none can say."""

from __future__ import annotations


class Unreadable(Exception):
    """`field` is a dotted path below what is read, "" for all of it; no message holds a value of a secret."""

    def __init__(self, message: str, field: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message, self.field, self.hint = message, field, hint

    def below(self, prefix: str) -> Unreadable:
        """The same, seen from further out."""
        field = ".".join(part for part in (prefix, self.field) if part)
        return type(self)(self.message, field, self.hint)


class Elsewhere(Unreadable):
    """The fault is another entry's, whose own check tells of it."""
