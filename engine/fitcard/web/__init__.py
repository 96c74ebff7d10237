"""The HTTP service.

app.py                the application: what happens before and after each request
api.py, operations.py, pages/    the routes, each with its documentation
parameters.py         what routes take
routing.py            how a route is declared
openapi.py            the OpenAPI document, generated from all of these
"""
