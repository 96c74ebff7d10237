"""Problems of imported files and values."""

from __future__ import annotations

from fitcard.problems import Position, Problem, ProblemCode, ProblemsError


class ImportUnreadable(ProblemCode):
    """A file to import cannot be read: it is missing, no regular file, or not text in UTF-8.

    Why: reading a device or a pipe may never end, and text in another encoding would be read wrongly.
    Avoid: `fitcard import model /dev/stdin`
    Prefer: a file saved as UTF-8, or `-` for standard input.
    """


class ImportTooLarge(ProblemCode):
    """A file to import is larger, deeper or longer than the output of any known program.

    Why: an import takes seconds and a few megabytes, whatever the file claims to contain.
    Avoid: importing all results of a year at once, or a result saved with the text of each request
    Prefer: one file for each benchmark, without details of single requests.
    """


class ImportSyntax(ProblemCode):
    """A file to import is damaged: JSON, a table or a GGUF header that ends early or contradicts itself.

    Why: an entry read from a part of a file would look complete.
    Avoid: a download that was interrupted
    Prefer: the whole file, as its program wrote it.
    """


class ImportUnknownFormat(ProblemCode):
    """No importer recognises the keys of a file.

    Why: its figures could mean anything.
    Avoid: `fitcard import model tokenizer.json`
    Prefer: one of the formats that the problem lists.
    """


class ImportValue(ProblemCode):
    """A key of an imported file has a value of another kind than the key takes.

    Why: without the value, or with a guess for it, the entry would be wrong.
    Avoid: `"hidden_size": [4096]`
    Prefer: `"hidden_size": 4096`
    """


def import_error(
    kind: type[ProblemCode], message: str, hint: str = "", position: Position | None = None
) -> ProblemsError:
    """The exception for one problem of an import."""
    return ProblemsError([Problem(kind, message, position, hint=hint)])
