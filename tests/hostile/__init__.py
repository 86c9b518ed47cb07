"""Peers that hang, lie, flood or die: each costs one call a clear error, neighbours go on, and nothing leaks."""
