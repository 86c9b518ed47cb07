"""What the console needs of a database beside models: the ORM on threads, noticing changes, values that columns take.

It knows no table.
"""
