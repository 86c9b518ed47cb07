"""Stand-ins in memory for what a database keeps: for tests, and for programs that embed the engine without one."""
