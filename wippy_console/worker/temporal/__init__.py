"""The Temporal side of a node: its workers, and what runs did that its units or the projection wait to hear of."""
