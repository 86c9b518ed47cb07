"""What the kernel asks of Python within a step: pure functions, the clock and the entropy of the world."""
