"""Requests of other systems under `/hooks/`: which door they come to, whether it opens, and what becomes of them."""
