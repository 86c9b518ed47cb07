"""Tests, in folders like the code; `product`, `served` and `temporal_server` start what they need."""
