"""This node among the others, by rows that all share: its heartbeat, who is alive, names, the lease on services."""
