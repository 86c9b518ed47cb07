"""Watching steps that hold a thread: a ledger in shared memory, a thread that interrupts, a guardian that replaces."""
