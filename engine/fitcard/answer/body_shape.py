"""What a JSON body must look like, as its schema says, and where in it something else stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fitcard.answer.told import BodyWrong, told
from fitcard.problems import Problem
from fitcard.read.document import Document
from fitcard.read.schema_problems import problems_of
from fitcard.rulebook.rulebook import Rulebook

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

BODY = "body"  # the field of a problem with all of it
LONGEST = 200  # characters of what is told of one part


def shape_problems(rulebook: Rulebook, kind: str, body: Any) -> Iterator[Problem]:
    """A problem for each part of the body that is not as the schema of `kind` says; none where there is no such schema.

    The field of each is the way to the part, as in `questions.3.overrides`.
    """
    schemas = rulebook.schemas
    if kind not in schemas.by_kind or schemas.fits(body, kind):
        return
    document = Document(BODY, "", body, {})
    for error in schemas.validator(kind).iter_errors(body):
        for problem in problems_of(document, error, lambda part: schemas.resolve(part, kind)):
            what = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
            what = what if len(what) <= LONGEST else what[:LONGEST] + "..."
            yield told(rulebook, BodyWrong, _way(error), "", problem.closest, what=" ".join(what.split()))


def _way(error: ValidationError) -> str:
    """The keys and numbers on the way to what is wrong; of alternatives those of the nearest."""
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - imported only once something is wrong

    nearest = best_match([error]) or error
    return ".".join(map(str, nearest.absolute_path)) or BODY
