"""Python and the Temporal CLI on the other side of the wire."""
