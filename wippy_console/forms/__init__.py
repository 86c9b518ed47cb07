"""Forms: those of fixed shape, and those drawn from a JSON Schema (`schema`)."""
