"""The live feed: its socket, one tailer per web process, frames, and the check of who listens."""
