"""What running one attack showed, as the child that ran it tells its parent: a line of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """`ended` is `returned`, the kind of an error, or `waiting`; memory in bytes of RSS, times in seconds.

    `wait` is the longest that a call of the neighbour took from when it was due. `text` is what the error said.
    """

    ended: str
    seconds: float = 0.0
    before: int = 0
    peak: int = 0
    after: int = 0
    wait: float = 0.0
    text: str = ""

    def dumped(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def loaded(cls, line: str) -> Report:
        """The report of a line."""
        return cls(**json.loads(line))
