"""The Temporal host: workflows that survive crashes, their activities, and the client that reaches them.

Imports go one way: worker > node | client | workflow > options > wire > programs | settings > observations.
"""
