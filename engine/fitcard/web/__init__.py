"""The HTTP service: application, routes, errors, cache, logs and server."""
