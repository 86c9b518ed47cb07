"""A column whose value is read through the veil of its run: a page that nobody thought of shows dots.

The whole value is kept, and saved; code that works with it instead of showing it asks `run.whole(name)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models
from django.db.models import signals
from django.db.models.query_utils import DeferredAttribute

_LOADED = "_wippy_loaded"
_whole: ContextVar[bool] = ContextVar("whole", default=False)


@contextmanager
def whole() -> Iterator[None]:
    """Within it columns are read as they are: to be kept, compared or worked with."""
    token = _whole.set(True)
    try:
        yield
    finally:
        _whole.reset(token)


class _Veiled(DeferredAttribute):
    """The attribute of such a column; the model has `veiled(name, value)`."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, cls)
        if value is None or _whole.get() or instance.__dict__.get(_LOADED):
            return value
        return instance.veiled(self.field.attname, value)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


def _note_loaded(instance: Any, raw: bool, **_: Any) -> None:
    if raw:
        instance.__dict__[_LOADED] = True


class VeiledField(models.JSONField):
    """JSON that is shown as its model says."""

    descriptor_class = _Veiled

    def deconstruct(self) -> Any:
        """To the database it is JSON like any other."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs

    def contribute_to_class(self, cls: Any, name: str, *args: Any, **kwargs: Any) -> None:
        """A row that is loaded from a file is saved past all methods of its model."""
        super().contribute_to_class(cls, name, *args, **kwargs)
        signals.pre_save.connect(_note_loaded, sender=cls, dispatch_uid=f"wippy veil {cls.__name__}")

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """What is saved is the whole value."""
        with whole():
            return super().pre_save(model_instance, add)

    def value_from_object(self, obj: Any) -> Any:
        """Of a copy of the table (`dumpdata`), too."""
        with whole():
            return super().value_from_object(obj)
