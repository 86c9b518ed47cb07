"""What the kernel asks of Python within a step, a file a subject; `engine.lua.service_requests` finds each."""
