"""Feed events in words and colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import template
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString

from engine.pids import Pid
from wippy_console.models import FeedEvent, Node
from wippy_console.templatetags import console, looks

register = template.Library()
MOST_WATCHERS = 3


@register.simple_tag
def feed_status(event: FeedEvent) -> SafeString:
    """The event's kind; an EXIT wears the colour of how it went."""
    look = looks.find("feed", event.kind)
    if event.kind in ("EXIT", "PROCESS_EXIT"):
        look = looks.Look(look.icon, look.word, looks.find("run", str(event.data.get("status", ""))).tone)
    return console.status(look)


@register.simple_tag
def node_status(node: Node) -> SafeString:
    """Whether a node is alive."""
    return console.status(looks.find("node", node.state))


@register.inclusion_tag("live/relatives.html")
def feed_relatives(event: FeedEvent) -> dict[str, Any]:
    """Who started or spawned it, whose child it is, what goes on in its place, and who watched it."""
    data = event.data
    watchers = [str(each) for each in data.get("watchers") or []]
    return {
        "begins": parse_datetime(str(data.get("starts") or "")) if event.kind == "STARTED" else None,
        "starter": data.get("user") if event.kind in ("STARTED", "EXIT") else "",
        "parent_run": (data.get("parent_workflow_id"), data.get("parent_run_id"))
        if data.get("parent_run_id")
        else None,
        "next_run": (event.workflow_id, data.get("new_run_id")) if data.get("new_run_id") else None,
        "parent": str(data.get("parent") or "") if event.kind in ("EXIT", "PROCESS_EXIT") else "",
        "watchers": [unit(each) for each in watchers[:MOST_WATCHERS]],
        "unnamed": max(0, len(watchers) - MOST_WATCHERS),
        "is_child": event.kind == "EXIT" and bool(data.get("parent_run_id")),
    }


def unit(name: str) -> tuple[str, str]:
    """How a watcher is called, and its page: a process by its pid, or a service by its entry."""
    if name.startswith("service "):
        return name, reverse("entry", args=[name.removeprefix("service ")])
    return name, reverse("process", args=[name]) if Pid.parse(name) else ""


@register.filter
def feed_text(event: FeedEvent) -> str:
    """What happened, as one short sentence."""
    sentence = SENTENCES.get(event.kind)
    return sentence(event.data) if sentence else console.brief(event.data)


def exited(data: dict[str, Any]) -> str:
    """How it went, after how long, with what."""
    if data.get("omitted"):
        return f"and {data['omitted']} more processes"
    word = looks.find("run", str(data.get("status", ""))).word.lower()
    after = f" after {console.duration(data['seconds'])}" if data.get("seconds") is not None else ""
    failure = data.get("failure") or {}
    outcome = failure.get("message") or ("" if data.get("result") is None else console.brief(data["result"], 100))
    return f"{word}{after}{': ' if outcome else ''}{console.brief(outcome, 160)}"


def waiting(data: dict[str, Any]) -> str:
    """What it asks for, of whom."""
    labels = ", ".join(str(each) for each in data.get("labels") or data.get("topics") or [])
    roles = ", ".join(role for role in data.get("roles") or [] if role)
    return f"waits for an answer{': ' if labels else ''}{labels}{f' (of {roles})' if roles else ''}"


def decided(data: dict[str, Any]) -> str:
    """Who answered what, and why."""
    what = data.get("label") or data.get("topic") or "a signal"
    return f"{data.get('user') or 'somebody'} sent “{what}”{because(data)}"


def because(data: dict[str, Any]) -> str:
    """The reason, when one was given."""
    return f": {console.brief(data['reason'], 120)}" if data.get("reason") else ""


def published(data: dict[str, Any]) -> str:
    """Which version, by whom, how much."""
    if set(data) == {"version"}:  # all that is for whoever does not see everything
        return f"registry version {data['version']}"
    count = data.get("total", len(data.get("entries") or []))
    author = data.get("author") or ("Lua code" if data.get("source") == "lua" else "")
    who = f" by {author}" if author else ""
    said = f": {console.brief(data['message'], 100)}" if data.get("message") else ""
    return f"registry version {data.get('version')}{who}, {count} {'entry' if count == 1 else 'entries'}{said}"


def started(data: dict[str, Any]) -> str:
    """That it started, or that its code begins later."""
    return "is scheduled" if data.get("starts") else "started"


def supervised(data: dict[str, Any]) -> str:
    """A service's state, and what is wrong with it."""
    return f"is {data.get('state', '')}{': ' + console.brief(data['error'], 120) if data.get('error') else ''}"


def operated(data: dict[str, Any]) -> str:
    """Who did what to a process or service."""
    who = data.get("user") or "somebody"
    acts = {
        "spawn": "spawned it" + (f" as “{data['name']}”" if data.get("name") else ""),
        "message": f"sent it “{data.get('topic', '')}”",
        "cancel": "asked it to stop",
        "terminate": "terminated it",
        "start": "started the service",
        "stop": "stopped the service",
        "restart": "restarted the service",
        "promote": f"made the build {data.get('name', '')} current",
    }
    doubt = " (the node did not answer)" if data.get("outcome") == "unknown" else ""
    return f"{who} {acts.get(str(data.get('action')), 'acted on it')}{because(data)}{doubt}"


def quarantined(data: dict[str, Any]) -> str:
    """What a quarantine, or its end, means."""
    if data.get("state") == "lifted":
        return f"may run again on {data.get('host', '')}: {data.get('user', '')} lifted its quarantine"
    return f"is quarantined on {data.get('host', '')}: a step took {data.get('seconds', 0):g} s of processor time"


def retrying(data: dict[str, Any]) -> str:
    """Which call fails again and again, and with what."""
    failed = max(int(data.get("attempt") or 1) - 1, 1)
    why = data.get("message") or "it did not answer in time"
    return f"calls {data.get('name') or 'a function'} again after {failed} failures: {console.brief(why, 140)}"


def handled(data: dict[str, Any]) -> str:
    """What became of a question that waits."""
    who, to, said = data.get("user") or "somebody", data.get("to") or "somebody", data.get("text") or ""
    acts = {
        "voted": f"{who} voted “{data.get('label', '')}”: {data.get('votes', 1)} of {data.get('needed', 1)}",
        "claimed": f"{who} took the question{' ' + said if said else ''}",
        "assigned": f"{who} gave the question to {to}{': ' + said if said else ''}",
        "released": f"the question is nobody's any more{' (' + said + ')' if said else ''}",
        "commented": f"{who} said: {console.brief(said, 120)}",
        "postponed": f"{who} put the question off",
        "escalated": f"the question went to {to} as well, since nobody answered",
    }
    return acts.get(str(data.get("action")), "something happened to the question")


SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "STARTED": started,
    "WAITING": waiting,
    "RESUMED": lambda data: "goes on",
    "EXIT": exited,
    "PROCESS_EXIT": exited,
    "CONTINUED": lambda data: "goes on in a new run",
    "SIGNAL": decided,
    "DECISION": decided,
    "CANCEL": lambda data: f"{data.get('user') or 'somebody'} asked it to stop{because(data)}",
    "TERMINATE": lambda data: f"{data.get('user') or 'somebody'} ended it{because(data)}",
    "RESET": lambda data: f"{data.get('user') or 'somebody'} reset it to event {data.get('event', '')}{because(data)}",
    "STUCK": lambda data: f"does not get on: {console.brief(data.get('reason') or '', 140)}",
    "RETRYING": retrying,
    "MOVING": lambda data: f"gets on again, was {console.look_of(str(data.get('state', '')), 'run').lower()}",
    "QUARANTINE": quarantined,
    "QUESTION": handled,
    "PUBLISHED": published,
    "OPERATION": operated,
    "NODE": lambda data: f"is {data.get('state', '')} on {data.get('hostname', '')}",
    "SERVICE": supervised,
}  # fmt: skip
