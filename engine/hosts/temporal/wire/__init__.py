"""What crosses to Temporal and back: payloads, headers, failures, search attributes, requests between nodes."""
