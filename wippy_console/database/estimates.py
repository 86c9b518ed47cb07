"""About how many rows a table holds, without counting them."""

from __future__ import annotations

from django.db import connection
from django.db.models import Model


def about(model: type[Model]) -> int:
    """What PostgreSQL noted when it last looked through the table; on SQLite the highest row number there ever was."""
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        else:
            cursor.execute(f"SELECT MAX(rowid) FROM {table}")  # noqa: S608 # the name is a model's
        found = cursor.fetchone()
    return max(0, int(found[0] or 0)) if found else 0
