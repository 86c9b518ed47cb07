"""Why something was not sent."""

from __future__ import annotations


class NotSent(Exception):
    """It did not go out; `final`: another try would end alike."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final
