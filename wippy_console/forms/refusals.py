"""The one way for forms to carry what a service refuses: acted on, or shown again with the draft kept."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Generic, TypeVar

from django import forms
from django.forms.utils import ErrorDict

from wippy_console.forms.schema import SchemaForm
from wippy_console.forms.typed import Restored
from wippy_console.services.errors import Refused

T = TypeVar("T")

EVERY = range(400, 600)
"""The statuses of refusals that stand on a form: all, so that nothing typed is lost."""


class RefusableForm(forms.Form):
    """A form that shows a refusal next to the fields that it names; what names none of them stands above the form."""

    use_required_attribute = False

    def take_refusal(self, refusal: Refused) -> None:
        """Add the refusal's errors."""
        for name, texts in refusal.named.items():
            for text in texts:
                self.add_error(self.field_of(name), text)
        if not any(refusal.named.values()):
            self.add_error(None, next((text for texts in refusal.paths.values() for text in texts), refusal.message))

    def hush(self) -> None:
        """Show what was sent without saying what is wrong with it: it was not meant to be acted on yet."""
        self._errors = ErrorDict()
        self.cleaned_data = {}

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
    act: Callable[[], T], form: RefusableForm, fields: SchemaForm | None = None, *, shown: Container[int] = EVERY
) -> Outcome[T]:
    """Act, when the forms were sent and are valid. A refusal with a status in `shown` stands on them then.

    `fields` is the form of an entry's schema: it takes what a refusal says of places in its value, or of nothing.
    """
    if isinstance(form.data, Restored) or (fields is not None and fields.is_edited):
        form.hush()
        return Outcome()
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


def _place(refusal: Refused, form: RefusableForm, fields: SchemaForm | None) -> None:
    if fields is None or refusal.named:
        form.take_refusal(refusal)
    if fields is not None and (refusal.paths or not refusal.named):
        fields.take_refusal(refusal)
