"""What templates draw with: icons, statuses, ids, times, JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import template
from django.http import QueryDict
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import now

from engine.pids import Pid
from wippy_console.database.storable import is_preview
from wippy_console.models import Question, Run
from wippy_console.services import audit, questions, states
from wippy_console.services.markdown import to_html
from wippy_console.templatetags import looks

register = template.Library()
NOTHING = "-"


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture of the sprite; always beside a word, so hidden from screen readers."""
    return format_html('<svg class="i" aria-hidden="true"><use href="{}#{}"></use></svg>', static("icons.svg"), name)


@register.simple_tag
def status(look: looks.Look) -> SafeString:
    """A state as icon, word and colour."""
    return format_html('<span class="status t-{}">{}{}</span>', look.tone, icon(look.icon), look.word)


@register.simple_tag
def run_status(run: Run) -> SafeString:
    """How a run stands."""
    return status(looks.of_run(run))


@register.simple_tag
def run_state(run: Run) -> states.State:
    """The same as data: what keeps the run, the next try, until when."""
    return looks.state_of(run)


@register.filter
def beginning(value: Any) -> str:
    """What a row keeps of a value that may be too large: all of it, or how its JSON begins."""
    is_cut = isinstance(value, Mapping) and set(value) == {"preview", "bytes"}
    return f"{value['preview']}…" if is_cut else as_json(value)


@register.filter
def deed(action: str) -> str:
    """What somebody did, as the audit says it."""
    return audit.ACTIONS.get(action, action)


@register.filter
def outcome(question: Question) -> str:
    """How a question ended, in a sentence."""
    return questions.outcome_of(question)


@register.filter
def markdown(text: Any) -> SafeString:
    """Markdown as HTML; the service leaves nothing in it that could do anything. No text is shown as it is."""
    return mark_safe(to_html(str(text)))  # noqa: S308


@register.filter
def priority(number: int) -> str:
    """A question's priority as a word."""
    return questions.priority_word(number)


@register.filter
def look(value: Any, family: str) -> looks.Look:
    """The look of a value in a family of `looks.FAMILIES`."""
    return looks.find(family, str(value))


@register.filter
def message_icon(tags: str) -> str:
    """The icon of a message by its level."""
    icons = {"success": "circle-check", "error": "circle-x", "warning": "triangle-alert"}
    return next((icons[tag] for tag in tags.split() if tag in icons), "info")


@register.inclusion_tag("parts/nav_link.html", takes_context=True)
def nav_link(context: template.Context, name: str, icon: str, word: str, *, badge: bool = False) -> dict[str, Any]:
    """A link of the main navigation; `here` on the page itself and on pages under it."""
    url, path = reverse(name), context["request"].path
    here = path == url or (url != "/" and path.startswith(url))
    return {
        "url": url,
        "icon": icon,
        "word": word,
        "here": here,
        "badge": badge,
        "inbox_count": context.get("inbox_count"),
    }


@register.filter
def middle(text: str, length: int = 28) -> str:
    """The text with its middle left out when it is longer than `length`; both ends of an id tell."""
    text = str(text)
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[-tail:]}"


@register.inclusion_tag("parts/id.html")
def id_text(text: str, url: str = "", length: int = 28, *, copy: bool = True) -> dict[str, Any]:
    """An id in monospace: shortened in the middle, whole in its title, with a button that copies it."""
    return {"text": str(text), "url": url, "length": length, "copy": copy}


@register.simple_tag
def moment(at: datetime | None, how: str = "at") -> SafeString:
    """A time as <time> in UTC, put into the viewer's zone by times.js: at, ago, since, until, deadline or clock."""
    if at is None:
        return format_html("{}", NOTHING)
    return format_html(
        '<time datetime="{}" data-time="{}">{}</time>', f"{at:%Y-%m-%dT%H:%M:%S.%fZ}", how, _plain(at, how)
    )


def _plain(at: datetime, how: str) -> str:
    """What a page without JavaScript says: what has passed by now where the words around it ask how long."""
    match how:
        case "clock":
            return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"
        case "since":
            return duration((datetime.now(UTC) - at).total_seconds())
        case _:
            return f"{at:%Y-%m-%d %H:%M:%S} UTC"


@register.simple_tag
def moment_ns(nanoseconds: int, how: str = "at") -> SafeString:
    """`moment` of a time that is stored as nanoseconds since 1970, as the engine's waits have it."""
    return moment(datetime.fromtimestamp(nanoseconds / 1e9, UTC), how)


@register.filter
def look_of(key: str, family: str) -> str:
    """The word of a value in a family of looks."""
    return looks.find(family, key).word


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds in the two units that tell: 340 ms, 4.2 s, 3 min 5 s, 2 h 14 min, 3 d 4 h."""
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    return _two_units(round(seconds))


@register.filter
def milliseconds(count: float | None) -> str:
    """Milliseconds as `duration` says them."""
    return duration(None if count is None else count / 1000)


def _two_units(total: int) -> str:
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts: list[tuple[int, str]] = []
    for word, size in units:
        count, total = divmod(total, size)
        if count or parts:
            parts.append((count, word))
    return " ".join(f"{count} {word}" for count, word in parts[:2] if count)


@register.filter
def took(run: Run) -> str:
    """How long a run took, or has taken by now."""
    return duration(((run.closed_at or now()) - run.started_at).total_seconds())


@register.filter
def is_pid(text: str) -> bool:
    """Whether it is a pid, and no user or system."""
    return Pid.parse(text) is not None


@register.filter
def spaced(name: str) -> str:
    """A name of the code as a word: `due_soon` is Due soon."""
    return name.replace("_", " ").capitalize()


@register.filter
def as_json(value: Any, indent: int = 2) -> str:
    """The value as JSON text, readable; `default=str` so that a page never fails on an odd value."""
    return json.dumps(value, indent=indent or None, ensure_ascii=False, default=str)


@register.filter
def brief(value: Any, length: int = 120) -> str:
    """The value on one line, cut; of one that was cut before, its beginning and its size."""
    if is_preview(value):
        size = f"… ({value['bytes']} bytes in all)"
        return brief(value["preview"], max(length - len(size), 1)).removesuffix("…") + size
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= length else text[: length - 1] + "…"


_TOKEN = re.compile(
    r'(?P<k>"(?:\\.|[^"\\])*"(?=\s*:))|(?P<s>"(?:\\.|[^"\\])*")|(?P<w>\b(?:true|false|null)\b)|(?P<n>-?\d[\d.eE+-]*)'
)


@register.filter
def pretty(value: Any) -> SafeString:
    """JSON with colours; a value that was cut because of its size shows what is there of it."""
    if isinstance(value, Mapping) and value.get("cut") is True and "preview" in value:
        return format_html("{}\n… cut: {} bytes in all", value["preview"], value.get("bytes", "?"))
    return coloured(as_json(value))


def coloured(text: str) -> SafeString:
    """JSON text with its parts marked for the style sheet."""
    return format_html_join("", "{}", ((part,) for part in _coloured(text)))


def _coloured(text: str) -> Iterator[str]:
    at = 0
    for token in _TOKEN.finditer(text):
        yield text[at : token.start()]
        yield format_html('<span class="{}">{}</span>', token.lastgroup, token.group())
        at = token.end()
    yield text[at:]


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The page's query string with some fields changed; None or "" removes one. Begins with "?"."""
    fields: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        fields.pop(name, None)
        if value not in (None, ""):
            fields[name] = str(value)
    return "?" + fields.urlencode()


@register.simple_tag(takes_context=True)
def entry_title(context: template.Context, entry_id: str) -> str:
    """What an entry is called: its title, else its id. `titles` is in every context that a request made."""
    return str(context["titles"].get(entry_id) or entry_id)


@register.filter
def alternatives(words: Sequence[str]) -> str:
    """Choices as a phrase: "Approve, Reject or Wait"."""
    return questions.alternatives(words)


@register.simple_tag
def run_url(run: Run, name: str = "run", *args: Any) -> str:
    """The address of a run, or of an action on it."""
    return reverse(name, args=(run.workflow_id, run.run_id, *args))
