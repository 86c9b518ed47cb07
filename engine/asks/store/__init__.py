"""Key-value stores for the `store` module: kinds `store.memory` and `store.sql` (docs/lua.md#store)."""
