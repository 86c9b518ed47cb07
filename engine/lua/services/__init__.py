"""What the kernel asks of Python within a step, a file a subject; `engine.lua.requests` finds each file by itself."""
