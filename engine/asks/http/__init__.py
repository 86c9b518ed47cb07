"""Requests of Lua code (docs/lua.md#http_client): on a thread of their own, by httpx, to checked addresses."""
