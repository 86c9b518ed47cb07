"""Lua as a state machine: the kernel (Lua), the marshaller, the type eraser, the unit. I/O-free."""
