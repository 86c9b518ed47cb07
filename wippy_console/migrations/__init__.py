"""How the tables came to be, in order. Migrations import `permissions` at most: models move on without them."""
