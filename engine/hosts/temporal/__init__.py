"""The Temporal host: workflows that survive crashes, their activities, and the client that reaches them."""
