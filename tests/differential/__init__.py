"""Lua as units run it against plain Lua 5.4: random small programs, whose results and errors must be the same."""
