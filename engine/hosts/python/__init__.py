"""Functions written in Python: each call is an actor of the actor host, its code runs on threads or a loop of its own.

It knows neither Django nor Temporal: who composes a node says how callables are found and what they get.
"""
