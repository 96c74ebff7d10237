"""The HTTP service.

- `app.py`: the application, with the steps before and after each request
- `api.py`, `operations.py`, `pages/`: the routes, declared with `routing.py` and the types of `parameters.py`
- `questions.py`: questions read from requests and answered, one at a time by the `fair_lock.py`
- `responses.py`, `errors.py`, `response_cache.py`: responses and their headers
- `access.py`, `shared_counts.py`: API keys and the rate limit, also of several processes
- `proxies.py`: the address of the caller behind proxies
- `options.py`: limits and other options
- `logs.py`, `metrics.py`: what operators see
- `openapi.py`: the OpenAPI document
- `server.py`: the HTTP server of `fitcard serve`, made of `connections.py`, `dispatcher.py` and `event_loop.py`
- `workers.py`: several processes with a server each
"""
