"""How states look: an icon, a word and a tone each, so that colour is never the only sign."""

from __future__ import annotations

from dataclasses import dataclass

from wippy_console.models import Run
from wippy_console.services import states


@dataclass(frozen=True, slots=True)
class Look:
    """`icon` is a symbol of icons.svg; `tone` one of run, ok, bad, warn, wait, mute."""

    icon: str
    word: str
    tone: str


RUN = {
    "running": Look("circle-play", "Running", "run"),
    "retrying": Look("rotate-ccw", "Retrying", "warn"),
    "waiting": Look("hourglass", "Waiting for a person", "wait"),
    "sleeping": Look("timer", "Sleeping", "mute"),
    "scheduled": Look("alarm-clock", "Scheduled", "mute"),
    "no_worker": Look("unplug", "No worker", "warn"),
    "stuck": Look("triangle-alert", "Stuck", "warn"),
    "quarantined": Look("ban", "Quarantined", "warn"),
    "completed": Look("circle-check", "Completed", "ok"),
    "failed": Look("circle-x", "Failed", "bad"),
    "canceled": Look("circle-slash", "Canceled", "mute"),
    "terminated": Look("octagon-x", "Terminated", "bad"),
    "timed_out": Look("alarm-clock", "Timed out", "warn"),
    "continued_as_new": Look("repeat", "Continued", "mute"),
}
ROW = {
    "scheduled": Look("circle-dashed", "Queued", "mute"),
    "running": Look("circle-play", "Running", "run"),
    "waiting": Look("hourglass", "Waiting", "wait"),
    "received": Look("circle-check", "Received", "ok"),
    "fired": Look("circle-check", "Fired", "ok"),
    **{
        key: RUN[key]
        for key in ("retrying", "completed", "failed", "canceled", "terminated", "timed_out", "continued_as_new")
    },
}
KIND = {
    "workflow": Look("workflow", "Workflow", "run"),
    "activity": Look("square-function", "Activity", "run"),
    "local": Look("zap", "Local activity", "run"),
    "timer": Look("timer", "Timer", "mute"),
    "child": Look("git-fork", "Child", "run"),
    "signal": Look("message-square", "Signal", "wait"),
    "external": Look("send", "Sent signal", "run"),
    "update": Look("message-square", "Update", "wait"),
    "marker": Look("diamond", "Marker", "mute"),
    "task": Look("cpu", "Workflow task", "mute"),
    "question": Look("hand", "Question", "wait"),
    "exit": Look("diamond", "EXIT", "ok"),
}
FEED = {
    "STARTED": Look("circle-play", "STARTED", "run"),
    "WAITING": Look("hourglass", "WAITING", "wait"),
    "RESUMED": Look("play", "RESUMED", "run"),
    "EXIT": Look("diamond", "EXIT", "ok"),
    "CONTINUED": Look("repeat", "CONTINUED", "mute"),
    "SIGNAL": Look("message-square", "SIGNAL", "wait"),
    "DECISION": Look("check", "DECISION", "wait"),
    "CANCEL": Look("circle-slash", "CANCEL", "warn"),
    "TERMINATE": Look("octagon-x", "TERMINATE", "bad"),
    "RESET": Look("rotate-ccw", "RESET", "warn"),
    "STUCK": Look("triangle-alert", "STUCK", "warn"),
    "RETRYING": Look("rotate-ccw", "RETRYING", "warn"),
    "MOVING": Look("play", "MOVING", "run"),
    "QUARANTINE": Look("ban", "QUARANTINE", "warn"),
    "QUESTION": Look("hand", "QUESTION", "wait"),
    "PUBLISHED": Look("package", "PUBLISHED", "run"),
    "NODE": Look("server", "NODE", "mute"),
    "SERVICE": Look("refresh-cw", "SERVICE", "mute"),
    "OPERATION": Look("hand", "OPERATION", "wait"),
    "PROCESS_EXIT": Look("diamond", "PROCESS EXIT", "mute"),
}
DECISION = {
    "pending": Look("circle-dashed", "Being sent", "warn"),
    "sent": Look("circle-check", "Sent", "ok"),
    "failed": Look("circle-x", "Failed", "bad"),
}
BATCH = {
    "draft": Look("circle-dashed", "To confirm", "wait"),
    "running": Look("circle-play", "Running", "run"),
    "stopped": Look("circle-stop", "Stopped", "warn"),
    "done": Look("circle-check", "Done", "ok"),
}
ITEM = {
    "pending": Look("circle-dashed", "Left", "mute"),
    "done": Look("circle-check", "Done", "ok"),
    "failed": Look("circle-x", "Failed", "bad"),
}
NOTIFICATION = {
    "queued": Look("circle-dashed", "Queued", "run"),
    "sent": Look("circle-check", "Sent", "ok"),
    "dead": Look("circle-x", "Failed", "bad"),
}
QUESTION = {
    "answered": Look("circle-check", "Answered", "ok"),
    "elsewhere": Look("circle-check", "Answered from elsewhere", "ok"),
    "defaulted": Look("timer", "Answered by its deadline", "mute"),
    "expired": Look("alarm-clock", "Expired", "warn"),
    "withdrawn": Look("circle-slash", "Withdrawn", "mute"),
}
NODE = {
    "alive": Look("circle-check", "Alive", "ok"),
    "silent": Look("triangle-alert", "Silent", "warn"),
    "stopped": Look("circle-stop", "Stopped", "mute"),
}
SERVICE = {
    "unknown": Look("circle-dashed", "Not started", "mute"),
    "waiting": Look("hourglass", "Waits", "mute"),
    "starting": Look("circle-dashed", "Starting", "run"),
    "running": Look("circle-play", "Running", "ok"),
    "restarting": Look("refresh-cw", "Restarts", "warn"),
    "stopping": Look("hourglass", "Stopping", "warn"),
    "stopped": Look("circle-stop", "Stopped", "mute"),
    "exited": Look("circle-check", "Exited", "mute"),
    "failed": Look("circle-x", "Failed", "bad"),
}
PROCESS = {
    "idle": Look("circle-dot", "Idle", "mute"),
    "busy": Look("activity", "Busy", "run"),
    "queued": Look("activity", "At work", "run"),
    "stepping": Look("activity", "At work", "run"),
    **{key: RUN[key] for key in ("completed", "failed", "canceled", "terminated")},
}
ENTRY = {
    "workflow.lua": Look("workflow", "workflow", "run"),
    "function.lua": Look("square-function", "function", "ok"),
    "function.python": Look("square-function", "Python function", "ok"),
    "process.lua": Look("cpu", "process", "wait"),
    "library.lua": Look("layers", "library", "mute"),
    "module.lua": Look("layers", "module", "mute"),
    "process.host": Look("server", "process host", "mute"),
    "process.service": Look("refresh-cw", "service", "wait"),
    "temporal.client": Look("unplug", "Temporal client", "mute"),
    "temporal.worker": Look("server", "Temporal worker", "mute"),
    "http.endpoint": Look("external-link", "endpoint", "ok"),
    "http.router": Look("network", "router", "mute"),
    "http.service": Look("server", "HTTP service", "mute"),
}
TOKEN = {
    "active": Look("circle-check", "Active", "ok"),
    "inactive": Look("ban", "Account not active", "warn"),
    "expired": Look("alarm-clock", "Expired", "mute"),
    "revoked": Look("circle-slash", "Revoked", "mute"),
}
SUBSCRIPTION = {
    "active": Look("circle-check", "Active", "ok"),
    "failing": Look("rotate-ccw", "Failing", "warn"),
    "paused": Look("circle-pause", "Paused", "mute"),
    "stopped": Look("circle-x", "Paused itself", "bad"),
}
DELIVERY = {
    "open": Look("circle-play", "Under way", "run"),
    "waiting": Look("hourglass", "Waiting", "wait"),
    "done": Look("circle-check", "Done", "ok"),
    "failed": Look("circle-x", "Failed", "bad"),
    "refused": Look("ban", "Refused", "warn"),
}
FAMILIES = {
    "run": RUN,
    "row": ROW,
    "kind": KIND,
    "feed": FEED,
    "decision": DECISION,
    "batch": BATCH,
    "item": ITEM,
    "notification": NOTIFICATION,
    "question": QUESTION,
    "node": NODE,
    "service": SERVICE,
    "process": PROCESS,
    "entry": ENTRY,
    "token": TOKEN,
    "subscription": SUBSCRIPTION,
    "delivery": DELIVERY,
}


def find(family: str, key: str) -> Look:
    """The look; an unknown key looks neutral and is shown as it is."""
    return FAMILIES[family].get(key) or Look("circle", key, "mute")


def of_run(run: Run) -> Look:
    """How a run stands, by the rule of `states`."""
    return RUN[state_of(run).key]


def state_of(run: Run) -> states.State:
    """A run's state; reads the marks `asks` and `unserved` of lists when they are there."""
    known, unserved = getattr(run, "asks", None), getattr(run, "unserved", None)
    if known is None and run.is_open:
        known = run.questions.filter(closed_at=None).exists()
    unserved = bool(states.unserved([run])) if unserved is None else unserved
    return states.of(run, asks=bool(known), unserved=unserved)
