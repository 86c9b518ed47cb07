"""What was typed into a form: read from a request without its secrets, and put back into the form, not yet sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.http import QueryDict

Pairs = list[tuple[str, str]]

BY = "typed_by"
"""Names whom the form was drawn for, signed, so that what is typed in it never comes to somebody else."""

HIDDEN = "typed_secret"
"""Names a field whose text is never kept."""

SHOW = "typed_show"
"""Asks for the form with these texts in it, instead of acting on them."""

CONTENT = "typed"
"""All of it as one text, for a log-in form to carry."""

IDENTITY = ("entry", "question", "again")
"""Fields that say which form it is, where its address alone does not."""

_OWN = {"csrfmiddlewaretoken", BY, HIDDEN, SHOW, CONTENT}
_SALT = "wippy_console.typed"
_DAYS = 30


class Restored(QueryDict):
    """Fields that were typed earlier: a form shows them, and nobody acts on them before they are sent again."""


def restored(pairs: Iterable[tuple[str, str]]) -> Restored:
    """Fields for a form to show."""
    data = Restored(mutable=True)
    for name, text in pairs:
        data.appendlist(name, text)
    data._mutable = False
    return data


def pairs_of(data: QueryDict) -> Pairs:
    """What may be kept: all but the machinery's fields, the buttons of lists, and secrets."""
    left_out = _OWN | set(data.getlist(HIDDEN))
    names = [name for name in data if name not in left_out and not name.endswith(":do")]
    return [(name, text) for name in names for text in data.getlist(name)]


def to_text(pairs: Pairs) -> str:
    """As one text."""
    return json.dumps(pairs, ensure_ascii=False)


def from_text(text: str) -> Pairs:
    """The fields of such a text; none when it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    listed = found if isinstance(found, list) else []
    return [(each[0], each[1]) for each in listed if _is_pair(each)]


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value)


def address(path: str, identity: Mapping[str, Any]) -> str:
    """Which form it is: its path, and what else tells it from others there."""
    told = [(name, str(identity[name])) for name in IDENTITY if identity.get(name) not in (None, "")]
    return f"{path}?{urlencode(told)}" if told else path


def signed(user: Any) -> str:
    """The mark of the person whom a form is drawn for."""
    return signing.TimestampSigner(salt=_SALT).sign(str(user.pk))


def typist(data: QueryDict) -> str:
    """The key of that person, "" when the mark is missing, old, or not ours."""
    try:
        return signing.TimestampSigner(salt=_SALT).unsign(data.get(BY, ""), max_age=_DAYS * 86_400)
    except signing.BadSignature:
        return ""
