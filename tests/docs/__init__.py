"""What docs and comments say of the code: that it is there."""
