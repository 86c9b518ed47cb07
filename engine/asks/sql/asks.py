"""The operations of the `sql` module (docs/lua.md#sql): statements, transactions, what a unit holds of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from engine.asks.sql.binding import bound, statement_text, table_of
from engine.asks.sql.connection import Connection, Limits
from engine.asks.sql.databases import Databases
from engine.asks.sql.handles import Statement, Transaction
from engine.asks.threads import on_thread
from engine.contracts.operation import Asker, Operation
from engine.errors import UnitFailed, invalid
from engine.steps import Value

LIMITS = Limits(bytes=(8 << 20) - (64 << 10))
"""A unit takes no answer of more than 8 MiB, with what stands around it."""
FEW = 1000
"""Rows that become a table on the loop; for a hundred thousand it takes a seventh of a second."""
Args = tuple[Value, ...]


class SqlAsks:
    """`operations` are for `LocalNode`; `close` ends all connections of `databases`.

    Where a unit names something it holds, its number comes first and the database's id second, which is for people.
    """

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def operations(self) -> Mapping[str, Operation]:
        """Every operation by name."""
        return {
            "sql.get": Operation(self._get, lambda args: f"open {args[0]}"),
            "sql.stats": Operation(self._stats, lambda args: f"look at {args[0]}"),
            "sql.query": Operation(self._query, lambda args: f"query {args[0]}"),
            "sql.execute": Operation(self._execute, lambda args: f"execute {args[0]}"),
            "sql.prepare": Operation(self._prepare, lambda args: f"prepare {args[0]}"),
            "sql.begin": Operation(self._begin, lambda args: f"begin {args[0]}"),
            "sql.tx.query": Operation(self._tx_query, lambda args: f"query {args[1]}, in a transaction"),
            "sql.tx.execute": Operation(self._tx_execute, lambda args: f"execute {args[1]}, in a transaction"),
            "sql.tx.prepare": Operation(self._tx_prepare, lambda args: f"prepare {args[1]}, in a transaction"),
            "sql.tx.savepoint": Operation(self._savepoint, lambda args: f"savepoint {args[1]}"),
            "sql.tx.end": Operation(self._end, lambda args: f"{str(args[2]).lower()} {args[1]}"),
            "sql.stmt.query": Operation(self._stmt_query, lambda args: f"query {args[1]}, prepared"),
            "sql.stmt.execute": Operation(self._stmt_execute, lambda args: f"execute {args[1]}, prepared"),
            "sql.stmt.close": Operation(self._close, lambda args: f"close a statement of {args[1]}"),
        }

    async def close(self) -> None:
        """Close all connections."""
        await self._databases.close()

    async def _get(self, asker: Asker, args: Args) -> Value:
        """(id) -> "sqlite" or "postgres"; NotFound, Invalid. Does not connect."""
        return await self._databases.dialect(str(args[0]))

    async def _stats(self, asker: Asker, args: Args) -> Value:
        """(id) -> what the pool counts."""
        return (await self._databases.pool(str(args[0]))).counts()

    async def _query(self, asker: Asker, args: Args) -> Value:
        """(id, text, values, kinds) -> a table of rows."""
        async with self._one(asker, args[0]) as connection:
            return await _rows(connection, *args[1:])

    async def _execute(self, asker: Asker, args: Args) -> Value:
        """(id, text, values, kinds) -> {rows_affected, last_insert_id}."""
        async with self._one(asker, args[0]) as connection:
            return await _done(connection, *args[1:])

    async def _prepare(self, asker: Asker, args: Args) -> Value:
        """(id, text) -> the number of a statement."""
        text = statement_text(args[1])
        async with self._one(asker, args[0]) as connection:
            await connection.check(text)
        return asker.holdings.add(Statement(text, None), f"a statement of {args[0]}")

    async def _begin(self, asker: Asker, args: Args) -> Value:
        """(id, isolation, read only) -> the number of a transaction."""
        pool, lease = await self._databases.take(str(args[0]), f"{_holder(asker)}, in a transaction")
        try:
            await lease.connection.begin(str(args[1]), read_only=args[2] is True)
        except BaseException:
            pool.give_back(lease)
            raise
        return asker.holdings.add(Transaction(pool, lease), f"a transaction of {args[0]}")

    async def _tx_query(self, asker: Asker, args: Args) -> Value:
        """(number, id, text, values, kinds) -> a table of rows."""
        async with _of(asker, args[0]).connection() as connection:
            return await _rows(connection, *args[2:])

    async def _tx_execute(self, asker: Asker, args: Args) -> Value:
        """(number, id, text, values, kinds) -> {rows_affected, last_insert_id}."""
        async with _of(asker, args[0]).connection() as connection:
            return await _done(connection, *args[2:])

    async def _tx_prepare(self, asker: Asker, args: Args) -> Value:
        """(number, id, text) -> the number of a statement."""
        held, text = _of(asker, args[0]), statement_text(args[2])
        async with held.connection() as connection:
            await connection.check(text)
        return asker.holdings.add(Statement(text, held), f"a statement of {args[1]}")

    async def _savepoint(self, asker: Asker, args: Args) -> Value:
        """(number, id, verb, name) -> true; the name was checked, and is quoted all the same."""
        name = str(args[3]).replace('"', "")
        async with _of(asker, args[0]).connection() as connection:
            await connection.control(f'{args[2]} "{name}"')
        return True

    async def _end(self, asker: Asker, args: Args) -> Value:
        """(number, id, COMMIT or ROLLBACK) -> true."""
        held = _of(asker, args[0])
        try:
            await held.end(str(args[2]))
        finally:
            await asker.holdings.drop(args[0])
        return True

    async def _stmt_query(self, asker: Asker, args: Args) -> Value:
        """(number, id, values, kinds) -> a table of rows."""
        statement = asker.holdings.get(args[0], Statement, "statement")
        async with self._for(asker, args[1], statement) as connection:
            return await _rows(connection, statement.text, *args[2:])

    async def _stmt_execute(self, asker: Asker, args: Args) -> Value:
        """(number, id, values, kinds) -> {rows_affected, last_insert_id}."""
        statement = asker.holdings.get(args[0], Statement, "statement")
        async with self._for(asker, args[1], statement) as connection:
            return await _done(connection, statement.text, *args[2:])

    async def _close(self, asker: Asker, args: Args) -> Value:
        """(number, id) -> true."""
        await asker.holdings.drop(args[0])
        return True

    def _for(self, asker: Asker, entry_id: Value, statement: Statement) -> AbstractAsyncContextManager[Connection]:
        within = statement.within
        return self._one(asker, entry_id) if within is None else within.connection()

    @asynccontextmanager
    async def _one(self, asker: Asker, entry_id: Value) -> AsyncIterator[Connection]:
        """A connection for one statement, which must not leave a transaction behind."""
        async with self._databases.connection(str(entry_id), _holder(asker)) as connection:
            yield connection
            if connection.in_transaction:
                raise UnitFailed(invalid("a transaction is begun by db:begin(), and ended by its methods"))


def _holder(asker: Asker) -> str:
    return f"{asker.entry} {asker.pid}"


def _of(asker: Asker, number: Value) -> Transaction:
    return asker.holdings.get(number, Transaction, "transaction")


async def _rows(connection: Connection, text: Value, values: Value, kinds: Value) -> Value:
    rows = await connection.query(statement_text(text), bound(values, kinds), LIMITS)
    return table_of(rows) if len(rows) <= FEW else await on_thread(table_of, rows)


async def _done(connection: Connection, text: Value, values: Value, kinds: Value) -> Value:
    done = await connection.execute(statement_text(text), bound(values, kinds), LIMITS)
    return {"rows_affected": done.rows_affected, "last_insert_id": done.last_insert_id}
