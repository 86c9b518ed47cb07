"""The REST API: a module per noun; reads a request, asks the services that pages ask, answers in JSON.

`v1` has the whole; every request comes in by `door`. The document of v1 changes by addition only.
"""
