"""Pages, a module per part of the console: read the request, ask a service, render. No queries, no rules."""
