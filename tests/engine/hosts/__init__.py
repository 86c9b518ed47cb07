"""The two hosts, beyond what the conformance suite asks of both."""
