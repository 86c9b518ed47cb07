"""`worker_options` of a `temporal.worker` entry as the SDK takes them (docs/temporal.md#workers).

| option                                                     | here                                            |
|------------------------------------------------------------|-------------------------------------------------|
| `max_concurrent_{activity,workflow_task,local_activity}_execution_size` | slots of that kind                 |
| `max_concurrent_{activity,workflow_task}_task_pollers`      | the most pollers that autoscaling may open      |
| `max_cached_workflows`                                      | cached runs                                     |
| `worker_activities_per_second`, `task_queue_activities_per_second` | rates                                    |
| `sticky_schedule_to_start_timeout`, `worker_stop_timeout`, `{max,default}_heartbeat_throttle_interval` | durations |
| `identity`                                                  | as it stands                                    |
| `disable_eager_activities`, `disable_workflow_worker`, `local_activity_worker_only` | flags                   |
| `deployment_name`, `build_id`, `use_versioning`, `default_versioning_behavior` | a version of a deployment    |

Zero means the SDK's default. Sessions, the deadlock timeout, logging in replay, registration aliases and the rate
of local activities are not the Python SDK's, and ignored, as unknown options are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import PollerBehaviorAutoscaling, WorkerDeploymentConfig

from engine.durations import SECOND, option_duration
from engine.errors import UnitFailed, invalid
from engine.hosts.temporal.settings import GRACE, HEARTBEAT_THROTTLE

BEHAVIORS = {"pinned": VersioningBehavior.PINNED, "auto_upgrade": VersioningBehavior.AUTO_UPGRADE}

_WHOLE = {
    "max_concurrent_activity_execution_size": "max_concurrent_activities",
    "max_concurrent_workflow_task_execution_size": "max_concurrent_workflow_tasks",
    "max_concurrent_local_activity_execution_size": "max_concurrent_local_activities",
    "max_cached_workflows": "max_cached_workflows",
}
_RATES = {
    "worker_activities_per_second": "max_activities_per_second",
    "task_queue_activities_per_second": "max_task_queue_activities_per_second",
}
_SPANS = {
    "sticky_schedule_to_start_timeout": "sticky_queue_schedule_to_start_timeout",
    "worker_stop_timeout": "graceful_shutdown_timeout",
    "max_heartbeat_throttle_interval": "max_heartbeat_throttle_interval",
    "default_heartbeat_throttle_interval": "default_heartbeat_throttle_interval",
}
_FLAGS = {
    "disable_eager_activities": "disable_eager_activity_execution",
    "local_activity_worker_only": "no_remote_activities",
}
# A workflow worker polls its sticky queue beside the normal one.
_POLLERS = {
    "max_concurrent_activity_task_pollers": ("activity_task_poller_behavior", 1),
    "max_concurrent_workflow_task_pollers": ("workflow_task_poller_behavior", 2),
}


def sdk_options(worker_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of the SDK's `Worker`; raises Invalid when versioning lacks what it needs."""
    options: dict[str, Any] = {
        "graceful_shutdown_timeout": GRACE,
        "max_heartbeat_throttle_interval": HEARTBEAT_THROTTLE,
        "default_heartbeat_throttle_interval": HEARTBEAT_THROTTLE,
    }
    options |= {ours: int(given[theirs]) for theirs, ours in _WHOLE.items() if _positive(given.get(theirs))}
    options |= {ours: float(given[theirs]) for theirs, ours in _RATES.items() if _positive(given.get(theirs))}
    options |= {ours: _span(given[theirs]) for theirs, ours in _SPANS.items() if _span(given.get(theirs))}
    options |= {ours: True for theirs, ours in _FLAGS.items() if given.get(theirs) is True}
    options |= {ours: _pollers(given.get(theirs), least) for theirs, (ours, least) in _POLLERS.items()}
    if isinstance(given.get("identity"), str) and given["identity"]:
        options["identity"] = given["identity"]
    if deployment := _deployment(worker_id, given):
        options["deployment_config"] = deployment
    return options


def version_of(options: Mapping[str, Any]) -> WorkerDeploymentVersion | None:
    """The version of a versioned worker's options."""
    deployment = options.get("deployment_config")
    return deployment.version if deployment and deployment.use_worker_versioning else None


def _deployment(worker_id: str, given: Mapping[str, Any]) -> WorkerDeploymentConfig | None:
    name, build, used = given.get("deployment_name"), given.get("build_id"), given.get("use_versioning") is True
    if used and not (name and build):
        raise UnitFailed(invalid(f"worker '{worker_id}': use_versioning needs a deployment_name and a build_id"))
    behavior = BEHAVIORS.get(str(given.get("default_versioning_behavior") or "pinned"))
    if behavior is None:
        known = " or ".join(BEHAVIORS)
        raise UnitFailed(invalid(f"worker '{worker_id}': default_versioning_behavior is {known}"))
    if not (name and build):
        return None
    version = WorkerDeploymentVersion(str(name), str(build))
    return WorkerDeploymentConfig(version, used, behavior if used else VersioningBehavior.UNSPECIFIED)


def _pollers(given: Any, least: int) -> PollerBehaviorAutoscaling:
    if not _positive(given):
        return PollerBehaviorAutoscaling()
    most = max(least, int(given))
    return PollerBehaviorAutoscaling(maximum=most, initial=min(5, most))


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _span(value: Any) -> timedelta | None:
    nanoseconds = option_duration(value)
    return timedelta(seconds=nanoseconds / SECOND) if nanoseconds and nanoseconds > 0 else None
