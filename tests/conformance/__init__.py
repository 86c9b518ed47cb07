"""One suite of Lua cases for all hosts, held against the manual."""
