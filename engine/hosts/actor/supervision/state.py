"""Where supervised things stand (docs/lua.md#services): what supervisors report and operators see."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN, STARTING, RUNNING, STOPPING = "Unknown", "Starting", "Running", "Stopping"
STOPPED, FAILED, EXITED = "Stopped", "Failed", "Exited"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """Where a service, or a worker or client of Temporal, stands since `since`; times are ns since the epoch.

    `restarts` counts starts after the first. Failed with a `next_attempt` is a pause before the next start,
    without one (0) it is final. Unknown is what was not started yet; `error` then says what it waits for.
    """

    entry_id: str
    state: str
    since: int
    pid: str = ""
    restarts: int = 0
    error: str = ""
    next_attempt: int = 0
    optional: bool = False
    kind: str = "process.service"
