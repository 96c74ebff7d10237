"""The HTTP service.

- `app.py`: the application, with the steps before and after each request
- `api.py`, `operations.py`, `pages/`: the routes, declared with `routing.py` and the types of `parameters.py`
- `questions.py`: questions read from requests and answered
- `responses.py`, `errors.py`, `response_cache.py`: responses and their headers
- `access.py`: API keys and the rate limit; `options.py`: limits and other options
- `observability.py`: logs and metrics
- `openapi.py`: the OpenAPI document
- `server.py`: the HTTP server of `fitcard serve`
"""
