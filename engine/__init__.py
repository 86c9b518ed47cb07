"""The embedded engine for durable Lua: programs, units, hosts. Works without Django."""
