"""The one way for forms to carry what a service refuses: acted on, or shown again with the draft kept."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Generic, TypeVar

from django import forms

from wippy_console.services.errors import Conflict, Refused

T = TypeVar("T")

INPUT = (Refused.status,)
"""The statuses of refusals that stand on a form by default: those of the input. Others become a page of their own."""

EVERY = range(400, 600)


class RefusableForm(forms.Form):
    """A form that shows a refusal next to the fields that it names; what names none of them stands above the form."""

    use_required_attribute = False

    def take_refusal(self, refusal: Refused) -> None:
        """Add the refusal's errors."""
        for name, texts in refusal.fields.items():
            for text in texts:
                self.add_error(self.field_of(name), text)
        if not any(refusal.fields.values()):
            self.add_error(None, refusal.message)

    def field_of(self, name: str) -> str | None:
        """The field that an error of that name belongs to, None for the form as a whole."""
        return name if name in self.fields else None


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What came of forms: `done` with a `value`, or to be shown with the `status`."""

    done: bool = False
    value: T | None = None
    status: int = 200


def submit(
    act: Callable[[], T], form: RefusableForm, fields: RefusableForm | None = None, *, shown: Container[int] = INPUT
) -> Outcome[T]:
    """Act, when the forms were sent and are valid. A refusal with a status in `shown` stands on them then.

    `fields` is a second form, drawn from an entry's schema: it takes what `form` has no field for.
    """
    if not form.is_bound:
        return Outcome()
    valid = [each.is_valid() for each in (form, fields) if each is not None]  # both, to show every error
    if not all(valid):
        return Outcome(status=Refused.status)
    try:
        return Outcome(done=True, value=act())
    except Refused as refusal:
        if refusal.status not in shown:
            raise
        _place(refusal, form, fields)
        return Outcome(status=refusal.status)


def _place(refusal: Refused, form: RefusableForm, fields: RefusableForm | None) -> None:
    if fields is None:
        form.take_refusal(refusal)
        return
    # Of a name that both have, the input's faults are the entry's; a conflict is never about the input.
    names = form.fields.keys() if isinstance(refusal, Conflict) else form.fields.keys() - fields.fields.keys()
    own = {name: texts for name, texts in refusal.fields.items() if name in names}
    rest = {name: texts for name, texts in refusal.fields.items() if name not in own}
    if own:
        form.take_refusal(Refused(refusal.message, own))
    if rest or not own:
        fields.take_refusal(Refused(refusal.message, rest))
