"""Threads and the event loop: the lock, the bridge to the loop, jobs in order, who runs next. Knows no actors."""
