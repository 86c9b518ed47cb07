"""The live feed's parts behind the socket: one tailer per web process, frames, and the check of who listens."""
