"""In which language a request is answered: the one that its address names, or one that its browser prefers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Request

from fitcard.answer.language import LANGUAGE, in_language, in_preferred_language
from fitcard.compiler.engine import Engine

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

ACCEPTED, QUERY = "HTTP_ACCEPT_LANGUAGE", "QUERY_STRING"
ENCODED = "%"  # what may be a letter of any name


def preferred_language(engine: Engine, request: Request) -> Engine:
    """The engine in the language that the browser prefers of those it has; as it speaks where nothing is said."""
    if ACCEPTED not in request.environ:
        return engine
    return in_preferred_language(engine, (tag for tag, weight in request.accept_languages if weight))


def named_language(engine: Engine, request: Request) -> Engine:
    """The engine in the language that the address names, if any. Raises ProblemsFound where there is no such one."""
    return in_language(engine, request.args.get(LANGUAGE)) if request.query_string else engine


def request_language(engine: Engine, environ: WSGIEnvironment) -> Engine:
    """The engine as it answers a request that nobody has read yet. Raises ProblemsFound like `named`."""
    query = environ.get(QUERY, "")
    if ACCEPTED not in environ and LANGUAGE not in query and ENCODED not in query:
        return engine
    request = Request(environ, populate_request=False)
    return named_language(preferred_language(engine, request), request)
