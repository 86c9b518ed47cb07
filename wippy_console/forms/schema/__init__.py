"""A form drawn from a JSON Schema, and the JSON value that was put into it: the same value, or an error at its field.

`description` reads a schema into `shapes` (what is drawn: fields, groups, lists, alternatives). `drawing` makes of a
shape and a value the `drafts` that templates show, `posting` makes them of what a browser sent. `form` has the whole.
"""

from wippy_console.forms.schema.form import SchemaForm
from wippy_console.forms.schema.values import MISSING

__all__ = ["MISSING", "SchemaForm"]
