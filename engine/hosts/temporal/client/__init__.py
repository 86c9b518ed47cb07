"""The client side: connections, starting, signalling, ending and watching workflows."""
