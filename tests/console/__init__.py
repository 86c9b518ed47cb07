"""The Django side, without a browser."""
