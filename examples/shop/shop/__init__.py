"""A small shop: Django keeps products, orders and payments; a workflow in Lua carries each order out."""
