"""Guests: people without an account, who answer one question by a link of one use that is sent to them."""

from wippy_console.services.guests.asking import (
    KIND,
    Asked,
    address_of,
    asked,
    fact_of,
    invite,
    link_of,
    offered,
    renew,
    why_nobody,
    withdraw,
)
from wippy_console.services.guests.limits import enter
from wippy_console.services.guests.links import OVER, Gone, find, give_back, refuse_over, take, token_of

__all__ = [
    "KIND", "OVER", "Asked", "Gone", "address_of", "asked", "enter", "fact_of", "find", "give_back", "invite",
    "link_of", "offered", "refuse_over", "renew", "take", "token_of", "why_nobody", "withdraw",
]  # fmt: skip
