"""What runs under determinism, inside workflow tasks: no I/O, no clock of its own.

It never imports client, worker or node.
"""
