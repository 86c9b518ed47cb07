"""What was typed into a form of a page: from the request, or from the draft that is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import HttpRequest, QueryDict

from wippy_console.forms import typed
from wippy_console.forms.labels import told
from wippy_console.forms.refusals import Outcome
from wippy_console.models import Draft
from wippy_console.services import drafts
from wippy_console.views.pages import user_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Typed:
    """The texts for a page's forms.

    `address` names the form among a person's drafts. `data` is what forms are bound to: what was sent, or a
    `Restored`, which they only show. `draft` is what was restored.
    """

    request: HttpRequest
    address: str
    data: QueryDict | None
    draft: Draft | None = None

    @property
    def mark(self) -> str:
        """Whom the form is drawn for, for the form to send along."""
        return typed.signed(self.request.user)

    @property
    def is_restored(self) -> bool:
        """Whether the form shows what was typed earlier."""
        return isinstance(self.data, typed.Restored)

    def settle(self, outcome: Outcome[T]) -> Outcome[T]:
        """Forget the draft of what was done, keep what was refused. Gives the outcome."""
        if outcome.done:
            drafts.discard(user_of(self.request), self.address)
        elif outcome.status >= 400 and self.data is not None and _is_theirs(self.request):  # it names its secrets
            drafts.save(user_of(self.request), self.address, typed.pairs_of(self.data), Draft.Why.REFUSED)
        return outcome

    def kept(self) -> typed.Pairs:
        """The texts alone, for when their form can't be drawn any more."""
        pairs = typed.pairs_of(self.data) if self.data is not None else []
        return told([(name, text) for name, text in pairs if is_text(name)])

    def value(self, name: str) -> str:
        """One of the texts; "" without it."""
        return str(self.data.get(name, "")) if self.data is not None else ""


def is_text(name: str) -> bool:
    """Whether a field of that name is of a schema, or of the arguments, and no helper of another."""
    return (name.startswith("f-") and ":" not in name) or name == "args"


def typed_in(request: HttpRequest, **identity: Any) -> Typed:
    """What was typed into the form that this page shows; `identity` tells it from others at the same path."""
    address = typed.address(request.path, identity)
    if request.method == "POST":
        return Typed(request, address, _shown(request) if typed.SHOW in request.POST else request.POST or None)
    return typed_at(request, address)


def typed_at(request: HttpRequest, address: str) -> Typed:
    """What is kept of a form of another address, for a page that shows it as well."""
    draft = drafts.find(user_of(request), address)
    data = typed.restored(drafts.content(draft)) if draft else None
    return Typed(request, address, data, draft)


def _shown(request: HttpRequest) -> QueryDict | None:
    return typed.restored(typed.pairs_of(request.POST)) if _is_theirs(request) else None


def _is_theirs(request: HttpRequest) -> bool:
    """Whether it was sent from a form that was drawn for whoever sends it."""
    return typed.typist(request.POST) == str(request.user.pk)
