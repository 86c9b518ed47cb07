"""What statements of units may do on SQLite: all that stays within the one file."""

from __future__ import annotations

import sqlite3

PRAGMAS = frozenset(
    {
        "application_id", "collation_list", "compile_options", "foreign_key_check", "foreign_key_list",
        "function_list", "index_info", "index_list", "index_xinfo", "integrity_check", "optimize", "page_count",
        "page_size", "pragma_list", "quick_check", "table_info", "table_list", "table_xinfo", "user_version",
        "freelist_count", "data_version",
    }
)  # fmt: skip
"""What they may ask for; none of these changes how the connection works."""
_SETTABLE = frozenset({"application_id", "user_version", "foreign_key_check", "integrity_check", "quick_check"})
_NAMED = ("index_", "table_", "foreign_key_list")
_REFUSED_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer"})
_REFUSED_TABLES = ("sqlite_dbpage", "sqlite_stmt", "dbstat")
_FILES = "ATTACH, DETACH and VACUUM are not for Lua code: a database is one file"
_TRANSACTIONS = "a transaction is begun by db:begin(), and ended by its methods"


class Rights:
    """An authorizer of SQLite; `own` is set while the connection does its own work, which may do all.

    `temporary` says that something was made that ends with the connection.
    """

    def __init__(self) -> None:
        self.own = True
        self.refused = ""
        self.temporary = False

    def __call__(self, action: int, first: str | None, second: str | None, where: str | None, _: str | None) -> int:
        """SQLITE_OK, or SQLITE_DENY with `refused` saying what."""
        if self.own:
            return sqlite3.SQLITE_OK
        self.temporary = self.temporary or (where or "").lower() == "temp"
        refused = _refusal(action, first or "", second or "")
        self.refused = refused or self.refused
        return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK


_STATEMENTS = {
    sqlite3.SQLITE_ATTACH: _FILES,
    sqlite3.SQLITE_DETACH: _FILES,
    sqlite3.SQLITE_TRANSACTION: _TRANSACTIONS,
    sqlite3.SQLITE_SAVEPOINT: _TRANSACTIONS,
}
_OF_TABLES = (sqlite3.SQLITE_READ, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_INSERT, sqlite3.SQLITE_DELETE)


def _refusal(action: int, first: str, second: str) -> str:
    """Why not, or ""."""
    refused = action in _OF_TABLES and first.lower() in _REFUSED_TABLES
    refused = refused or (action == sqlite3.SQLITE_CREATE_VTABLE and second.lower() in _REFUSED_TABLES)
    if refused:
        return f"{first} is not for Lua code"
    if action == sqlite3.SQLITE_PRAGMA and not _may_ask(first.lower(), second):
        return f"PRAGMA {first} is not for Lua code"
    if action == sqlite3.SQLITE_FUNCTION and second.lower() in _REFUSED_FUNCTIONS:
        return f"the function {second} is not for Lua code"
    return _STATEMENTS.get(action, "")


def _may_ask(name: str, argument: str) -> bool:
    return name in PRAGMAS and (not argument or name in _SETTABLE or name.startswith(_NAMED))
