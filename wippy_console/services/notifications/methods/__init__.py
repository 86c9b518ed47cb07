"""The methods by which a notification goes out: each sends one, or raises NotSent with why, in words."""
