"""One file per command, named as it is typed; what they share stands in `management/`."""
