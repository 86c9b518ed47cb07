"""Actors: their messages, names, links, services."""
