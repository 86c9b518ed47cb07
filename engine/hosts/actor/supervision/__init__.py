"""The `process.service` entries: read, started in order, restarted. Of the actor host it knows no more than a host."""
