"""What a run looks up by a local activity of its worker: the answer is recorded, and read again by every replay."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from temporalio.api.common.v1 import Payload

from engine.hosts.temporal.wire import payloads
from engine.steps import KERNEL

RESOLVE = "wippy.resolve"
ATTRIBUTES = "wippy.attributes"
ENTROPY = "wippy.entropy"
FILLED = "wippy.filled"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What runs of a workflow type begin with: a program's digest, a registry version, strictness, a kernel."""

    digest: str
    version: int
    type: str
    strict: bool = False
    kernel: int = KERNEL

    def to_json(self) -> dict[str, Any]:
        """{digest, version, type, strict, kernel}."""
        return asdict(self)

    @classmethod
    def decode(cls, payload: Payload) -> Resolution:
        """The answer of RESOLVE; old histories say nothing of strictness, nor of the kernel, which was the first."""
        given = payloads.decode(payload)
        return cls(
            given["digest"], given["version"], str(given["type"]), given.get("strict", False), given.get("kernel", 1)
        )
