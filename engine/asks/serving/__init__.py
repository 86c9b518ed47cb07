"""Requests that functions answer (docs/lua.md#http): exchanges in the memory of the node that runs the functions."""
