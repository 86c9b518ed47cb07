"""The eraser of typed Lua: tokens, types, and what it blanks out."""
