"""What `http.endpoint` entries and `meta.webhooks` say, as values: which requests they take, of whom, and what for."""
