"""What goes on in a run now: where its code stands, what is pending, what its queries answer, its source."""
